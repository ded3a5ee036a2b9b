import Compute
import LanguageModeling
import Recurrence

/// A cell as an argument of tests: an RNN counts twice.
public enum TestedCell: String, Sendable, CaseIterable {
  case lstm, gru
  case layerNormLSTM = "layer-norm-lstm"
  case tanhRNN = "rnn-tanh"
  case reluRNN = "rnn-relu"

  public var cell: RecurrentCell {
    switch self {
    case .lstm: .lstm
    case .gru: .gru
    case .layerNormLSTM: .layerNormLSTM
    case .tanhRNN, .reluRNN: .rnn
    }
  }

  public var nonlinearity: Nonlinearity { self == .reluRNN ? .relu : .tanh }

  /// The layer on given kernels, to be opened by a generic function.
  public func layer<K: Kernels>(_: K.Type) -> any RecurrentLayer<K>.Type {
    switch cell {
    case .lstm: LSTM<K>.self
    case .gru: GRU<K>.self
    case .rnn: RNN<K>.self
    case .layerNormLSTM: LayerNormLSTM<K>.self
    }
  }
}
