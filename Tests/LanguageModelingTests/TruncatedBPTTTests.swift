import Compute
import Foundation
import LanguageModeling
import Optimization
import Recurrence
import TestSupport
import Testing
import Tokenization

@Suite struct TruncatedBPTTTests {
  static func network<Layer: RecurrentLayer>(
    _: Layer.Type, _ cell: TestedCell = .lstm, vocabulary: Int = 7, hidden: Int = 9, layers: Int = 2
  ) throws -> Network<Layer> {
    Network(
      try ModelConfiguration(
        cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: vocabulary, embeddingSize: 6,
        hiddenSize: hidden, layers: layers))
  }

  /// `[T, B]` symbols below `vocabulary`, in a noisy cycle.
  static func window(steps: Int, lanes: Int, vocabulary: Int, seed: UInt64) -> TokenWindow {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    let symbols = (0..<(steps + 1) * lanes).map { place in
      Int32(random.next() % 4 == 0 ? Int(random.next() % UInt64(vocabulary)) : place / lanes % vocabulary)
    }
    return TokenWindow(
      steps: steps, lanes: lanes, inputs: Array(symbols[..<(steps * lanes)]), targets: Array(symbols[lanes...]))
  }

  /// Rows `range` of a window's steps.
  static func part(_ window: TokenWindow, _ range: Range<Int>) -> TokenWindow {
    let rows = range.lowerBound * window.lanes..<range.upperBound * window.lanes
    return TokenWindow(
      steps: range.count, lanes: window.lanes, inputs: Array(window.inputs[rows]),
      targets: Array(window.targets[rows]))
  }

  /// Reading in one long window or in many short ones is the same, to the bit in Double.
  @Test(arguments: TestedCell.allCases, [1, 3, 5, 8])
  func oneLongWindowIsManyShortOnes(_ cell: TestedCell, _ length: Int) throws {
    try readInPieces(cell, length, cell.layer(DoubleKernels.self))
  }

  private func readInPieces<Layer: RecurrentLayer<DoubleKernels>>(
    _ cell: TestedCell, _ length: Int, _: Layer.Type
  ) throws {
    let network = try Self.network(Layer.self, cell)
    let model = RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 3))
    let window = Self.window(steps: 24, lanes: 3, vocabulary: 7, seed: 1)
    let whole = model.makeReader(lanes: 3, steps: 24).losses(window)
    let reader = model.makeReader(lanes: 3, steps: length)
    var pieces: [Double] = []
    for start in stride(from: 0, to: 24, by: length) {
      pieces += reader.losses(Self.part(window, start..<min(start + length, 24)))
    }
    #expect(whole == pieces)
  }

  /// The state that training carries is the state that reading reaches, to the bit; a reset forgets it.
  @Test(arguments: TestedCell.allCases)
  func trainingCarriesTheState(_ cell: TestedCell) throws {
    try carryTheState(cell, cell.layer(DoubleKernels.self))
  }

  private func carryTheState<Layer: RecurrentLayer<DoubleKernels>>(_ cell: TestedCell, _: Layer.Type) throws {
    let network = try Self.network(Layer.self, cell)
    let parameters = network.initialParameters(seed: 3)
    let window = Self.window(steps: 12, lanes: 2, vocabulary: 7, seed: 2)
    func states(_ bptt: TruncatedBPTT<Layer>) -> [[Double]] {
      bptt.states.joined().flatMap { [$0.hidden.elements, $0.cell?.elements ?? []] }
    }
    let long = TruncatedBPTT(network, lanes: 2, k1: 12, workers: Workers(threads: 1))
    let whole = long.step(window, parameters: parameters)
    let short = TruncatedBPTT(network, lanes: 2, k1: 4, workers: Workers(threads: 1))
    var sum = 0.0
    for start in [0, 4, 8] { sum += short.step(Self.part(window, start..<start + 4), parameters: parameters) }
    #expect(states(long) == states(short))
    #expect(abs(whole - sum) < 1e-12)
    let first = Self.part(window, 0..<4)
    let afterAll = short.step(first, parameters: parameters)
    short.resetState()
    #expect(states(short).allSatisfy { $0.allSatisfy { $0 == 0 } })
    let fresh = short.step(first, parameters: parameters)
    #expect(fresh != afterAll, "the carried state makes no difference")
    #expect(
      fresh == TruncatedBPTT(network, lanes: 2, k1: 4, workers: Workers(threads: 1)).step(first, parameters: parameters)
    )
  }

  /// A stream begins from the trained initial state, in training and in reading; later windows go on from the carried
  /// state, and their gradient does not reach it.
  @Test(arguments: TestedCell.allCases)
  func streamsBeginFromTheTrainedState(_ cell: TestedCell) throws {
    try beginFromTheTrainedState(cell, cell.layer(DoubleKernels.self))
  }

  private func beginFromTheTrainedState<Layer: RecurrentLayer<DoubleKernels>>(
    _ cell: TestedCell, _: Layer.Type
  ) throws {
    var configuration = try Self.network(Layer.self, cell).configuration
    configuration.trainsInitialState = true
    let network = Network<Layer>(configuration)
    var parameters = network.initialParameters(seed: 3)
    let slots = network.layout.slots.filter { network.layout[$0].name.hasPrefix("initial.") }
    #expect(
      slots.map { network.layout[$0].name }
        == (Layer.hasCell ? ["initial.hidden", "initial.cell"] : ["initial.hidden"]))
    #expect(configuration.parameterCount == network.layout.count)
    for slot in slots {
      #expect(parameters[slot].elements.allSatisfy { $0 == 0 })
      parameters.fillUniform(slot, bound: 0.5, seed: 1)
    }
    let window = Self.window(steps: 8, lanes: 9, vocabulary: 7, seed: 2)
    let (first, second) = (Self.part(window, 0..<4), Self.part(window, 4..<8))
    let bptt = TruncatedBPTT(network, lanes: 9, k1: 4, workers: Workers(threads: 1))
    func initialGradients() -> [Double] { slots.flatMap { bptt.gradients[$0].elements } }
    let losses = [first, second].map { part in
      let loss = bptt.step(part, parameters: parameters)
      #expect(initialGradients().allSatisfy { ($0 == 0) == (part.inputs == second.inputs) })
      return loss
    }
    let reader = RecurrentLanguageModel(network: network, parameters: parameters).makeReader(lanes: 9, steps: 8)
    for _ in 0..<2 {
      #expect(abs(reader.losses(window).reduce(0, +) - losses[0] - losses[1]) < 1e-12)
      reader.reset()
    }
    #expect(bptt.step(first, parameters: parameters) != losses[0])
    bptt.resetState()
    #expect(bptt.step(first, parameters: parameters) == losses[0])
  }

  /// Twenty updates give the same bits for any number of threads.
  @Test(arguments: TestedCell.allCases, [2, 3, 8])
  func threadsDoNotChangeABit(_ cell: TestedCell, _ threads: Int) throws {
    let layer = cell.layer(Float32Kernels.self)
    #expect(try train(cell, threads: 1, layer) == train(cell, threads: threads, layer))
  }

  private func train<Layer: RecurrentLayer<Float32Kernels>>(
    _ cell: TestedCell, threads: Int, _: Layer.Type
  ) throws -> [Float] {
    let network = try Self.network(Layer.self, cell, vocabulary: 11, hidden: 20)
    var parameters = network.initialParameters(seed: 1)
    let bptt = TruncatedBPTT(network, lanes: 70, k1: 6, workers: Workers(threads: threads))
    var adam = Adam<Float>(.init(), layout: network.layout)
    for step in 0..<20 {
      let window = Self.window(steps: step == 9 ? 3 : 6, lanes: 70, vocabulary: 11, seed: UInt64(step))
      _ = bptt.step(window, parameters: parameters)
      adam.update(&parameters, gradients: bptt.gradients, learningRate: 0.01)
    }
    return parameters.flat.elements
  }

  /// Lane groups cover all lanes once, in order, of sizes that differ by one at most and depend on the lanes alone.
  @Test(arguments: [1, 2, 7, 8, 31, 50, 64, 65, 100, 200])
  func laneGroups(_ lanes: Int) throws {
    let network = try Self.network(LSTM<DoubleKernels>.self)
    let sizes = TruncatedBPTT(network, lanes: lanes, k1: 1, workers: Workers(threads: 1)).states.map {
      $0[0].hidden.rows
    }
    #expect(sizes.reduce(0, +) == lanes)
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    #expect(sizes.allSatisfy { (1...32).contains($0) })
  }

  /// Lanes in several groups give the mean of what each lane gives alone.
  @Test func groupsAddUp() throws {
    let network = try Self.network(LSTM<DoubleKernels>.self)
    let parameters = network.initialParameters(seed: 5)
    let window = Self.window(steps: 5, lanes: 10, vocabulary: 7, seed: 6)
    let together = TruncatedBPTT(network, lanes: 10, k1: 5, workers: Workers(threads: 1))
    let loss = together.step(window, parameters: parameters)
    #expect(together.states.count > 1)
    var sum = ParameterSet<Double>(network.layout)
    var lossSum = 0.0
    for lane in 0..<10 {
      let alone = TruncatedBPTT(network, lanes: 1, k1: 5, workers: Workers(threads: 1))
      lossSum += alone.step(window.lanes(lane..<lane + 1), parameters: parameters)
      Double.add(alone.gradients.flat, to: sum.writableFlat())
    }
    #expect(abs(loss - lossSum) < 1e-12)
    let mean = sum.flat.elements.map { $0 / 10 }
    #expect(largestDifference(together.gradients.flat.elements, mean) < 1e-14)
  }

  struct Sizes: Sendable, CustomTestStringConvertible {
    let vocabulary, steps, lanes: Int
    var testDescription: String { "V \(vocabulary), T \(steps), B \(lanes)" }
  }

  /// No multiples of anything, with the table and without.
  static let sizes = [
    Sizes(vocabulary: 13, steps: 5, lanes: 9), Sizes(vocabulary: 300, steps: 5, lanes: 9),
    Sizes(vocabulary: 20_000, steps: 7, lanes: 6),
  ]

  /// Float32 on oneDNN follows the Double reference: losses and every gradient.
  @Test(arguments: TestedCell.allCases, sizes)
  func float32FollowsDouble(_ cell: TestedCell, _ sizes: Sizes) throws {
    try follow(cell, sizes, cell.layer(DoubleKernels.self), cell.layer(Float32Kernels.self), tolerance: 1e-5)
  }

  /// bfloat16 keeps 8 bits: the same, as far as they go. Where rounding takes a unit over relu's corner, its gradient is
  /// another one; normalized gates are never small, where they are fresh, and rounding moves them more.
  @Test(.needsBFloat16, arguments: TestedCell.allCases, sizes)
  func bfloat16FollowsDouble(_ cell: TestedCell, _ sizes: Sizes) throws {
    try follow(
      cell, sizes, cell.layer(DoubleKernels.self), cell.layer(BFloat16Kernels.self),
      tolerance: [.reluRNN: 0.2, .layerNormLSTM: 0.15][cell] ?? 0.02)
  }

  private func follow<Reference: RecurrentLayer<DoubleKernels>, Layer: RecurrentLayer>(
    _ cell: TestedCell, _ shape: Sizes, _: Reference.Type, _: Layer.Type, tolerance: Double
  ) throws where Layer.K.Real == Float {
    let double = try Self.network(Reference.self, cell, vocabulary: shape.vocabulary, hidden: 37)
    let float = try Self.network(Layer.self, cell, vocabulary: shape.vocabulary, hidden: 37)
    let parameters = float.initialParameters(seed: 8)
    var same = ParameterSet<Double>(double.layout)
    for slot in double.layout.slots { same.writable(slot).copy(from: parameters[slot].elements.map(Double.init)) }
    let window = Self.window(steps: shape.steps, lanes: shape.lanes, vocabulary: shape.vocabulary, seed: 4)
    let a = TruncatedBPTT(double, lanes: shape.lanes, k1: shape.steps, workers: Workers(threads: 1))
    let b = TruncatedBPTT(float, lanes: shape.lanes, k1: shape.steps, workers: Workers(threads: 1))
    for _ in 0..<2 {
      let losses = (a.step(window, parameters: same), b.step(window, parameters: parameters))
      #expect(abs(losses.0 - losses.1) < tolerance * losses.0)
      for slot in double.layout.slots {
        let scale = a.gradients[slot].elements.map(abs).max() ?? 0
        let difference = largestDifference(a.gradients[slot].elements, b.gradients[slot].elements.map(Double.init))
        #expect(difference < tolerance * max(scale, 1e-3), "\(double.layout[slot].name)")
      }
    }
  }

  /// Fresh weights are a function of the seed.
  @Test func initialParametersFollowTheSeed() throws {
    let network = try Self.network(LSTM<Float32Kernels>.self)
    #expect(network.initialParameters(seed: 5).flat.elements == network.initialParameters(seed: 5).flat.elements)
    #expect(network.initialParameters(seed: 5).flat.elements != network.initialParameters(seed: 6).flat.elements)
  }

  /// A model that gives every symbol the same logit has the perplexity V.
  @Test(arguments: [2, 5, 65, 1000])
  func uniformModelHasPerplexityV(_ vocabulary: Int) throws {
    let network = try Self.network(LSTM<DoubleKernels>.self, vocabulary: vocabulary)
    var parameters = network.initialParameters(seed: 2)
    for slot in network.layout.slots where network.layout[slot].name.hasPrefix("decoder") {
      parameters.writable(slot).clear()
    }
    let reader = RecurrentLanguageModel(network: network, parameters: parameters).makeReader(lanes: 1, steps: 40)
    let losses = reader.losses(Self.window(steps: 40, lanes: 1, vocabulary: vocabulary, seed: 1))
    for loss in losses { #expect(abs(loss - log(Double(vocabulary))) < 1e-14) }
  }
}
