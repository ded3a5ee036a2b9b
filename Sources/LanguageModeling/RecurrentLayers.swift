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
  ///
  /// - Parameter profiled: Whether the kernels take the time of what they do.
  /// - Precondition: The precision is not int8, which is for reading.
  public func trainingLayer(_ precision: Precision, profiled: Bool = false) -> any RecurrentLayer.Type {
    func layer<K: Kernels>(_: K.Type) -> any RecurrentLayer.Type {
      profiled ? self.layer(ProfiledKernels<K>.self) : self.layer(K.self)
    }
    precondition(precision != .int8, "nothing is trained in int8")
    return switch precision {
    case .float32: prefersOneDNN.float32 ? layer(OneDNNKernels<Float>.self) : layer(Float32Kernels.self)
    case .bfloat16: prefersOneDNN.bfloat16 ? layer(OneDNNKernels<UInt16>.self) : layer(BFloat16Kernels.self)
    case .int8, .float64: layer(DoubleKernels.self)
    }
  }

  /// Bytes hold hidden states within (−1, 1), and a table of projected symbols.
  ///
  /// - Throws: ``ConfigurationError`` where the states of this model, or its table, have no bounds.
  func requireBoundedStates() throws {
    guard cell != .rnn || nonlinearity == .tanh else {
      throw ConfigurationError("the states of a relu network have no bound, which int8 wants; use bf16 or float32")
    }
    guard readsFromTable else {
      throw ConfigurationError("the vocabulary is too large for int8; use --precision bf16 or float32")
    }
  }

  /// Whether readers take layer 0's input from a table of projected symbols, made once, which serves every window: where
  /// it is not too large.
  var readsFromTable: Bool { vocabularySize * hiddenSize * layer(.int8).gateCount <= 1 << 26 }

  /// The layer in Double, the reference that gradients are examined in.
  package var referenceLayer: any RecurrentLayer<DoubleKernels>.Type { layer(DoubleKernels.self) }

  private func layer<K: Kernels>(_: K.Type) -> any RecurrentLayer<K>.Type {
    switch cell {
    case .lstm: LSTM<K>.self
    case .gru: GRU<K>.self
    case .rnn: RNN<K>.self
    case .layerNormLSTM: LayerNormLSTM<K>.self
    }
  }

  /// A model with fresh weights in Double, the same as those that a training with this seed begins from.
  public func freshModel(seed: UInt64, forgetBias: Double = 1) -> any LanguageModel {
    func fresh<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) -> any LanguageModel {
      let network = Network<Layer>(self)
      return RecurrentLanguageModel(
        network: network, parameters: network.initialParameters(seed: seed, forgetBias: forgetBias))
    }
    return fresh(referenceLayer)
  }
}
