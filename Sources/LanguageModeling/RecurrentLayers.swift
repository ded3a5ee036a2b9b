import Compute
import Recurrence

extension ModelConfiguration {
  /// The layer of the configuration's cell in a precision: the one place that knows them all. Hand it to a generic
  /// function, which opens it.
  public func layer(_ precision: Precision) -> any RecurrentLayer.Type {
    switch precision {
    case .float32: layer(Float32Kernels.self)
    case .bfloat16: layer(BFloat16Kernels.self)
    case .int8: layer(Int8Kernels.self)
    case .float64: layer(DoubleKernels.self)
    }
  }

  /// The same for training, on the kernels that are fastest on this processor.
  public func trainingLayer(_ precision: Precision) -> any RecurrentLayer.Type {
    switch precision {
    case .float32 where prefersOneDNN.float32: layer(OneDNNKernels<Float>.self)
    case .bfloat16 where prefersOneDNN.bfloat16: layer(OneDNNKernels<UInt16>.self)
    default: layer(precision)
    }
  }

  private func layer<K: Kernels>(_: K.Type) -> any RecurrentLayer.Type {
    switch cell {
    case .lstm: LSTM<K>.self
    case .gru: GRU<K>.self
    case .rnn: RNN<K>.self
    }
  }
}
