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

  private func layer<K: Kernels>(_: K.Type) -> any RecurrentLayer.Type {
    switch cell {
    case .lstm: LSTM<K>.self
    case .gru: GRU<K>.self
    case .rnn: RNN<K>.self
    }
  }
}
