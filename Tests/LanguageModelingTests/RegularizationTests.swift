import Compute
import LanguageModeling
import Optimization
import Recurrence
import TestSupport
import Testing
import Tokenization

/// Every regulariser against ``PlainRegularizedNetwork``, for every cell and relation of k1 and k2.
@Suite struct RegularizationTests {
  static let everything = Regularization(
    inputDropout: 0.3, hiddenDropout: 0.4, outputDropout: 0.5, weightDrop: 0.35, embeddingDropout: 0.25,
    activation: 0.7, temporalActivation: 0.9)
  /// Each alone.
  static let single: [Regularization] = [
    .init(inputDropout: 0.4), .init(hiddenDropout: 0.4), .init(outputDropout: 0.4), .init(weightDrop: 0.4),
    .init(embeddingDropout: 0.4), .init(activation: 2), .init(temporalActivation: 3),
  ]

  struct Case: Sendable, CustomTestStringConvertible {
    var cell = TestedCell.lstm
    var regularization = everything
    var k1 = 3
    var k2 = 6
    var recompute: Int?
    var lanes = 2
    var ties = false

    var testDescription: String {
      let names = regularization.named.count > 5 ? "everything" : regularization.named.map(\.name).joined()
      return "\(cell), \(names), k1 \(k1), k2 \(k2), \(lanes) lanes\(ties ? ", tied" : "")"
        + (recompute.map { ", segments of \($0)" } ?? "")
    }
  }

  static let steps = 12
  static let relations = [(3, 3), (3, 6), (3, 9), (2, 12), (1, 4), (4, 2), (6, 1), (12, 12), (12, 5), (4, 24)]
  /// 1 × 3 positions are gathered, more than V = 5 read from the table, where nothing masks lanes; 9 lanes are two groups.
  static let cases =
    TestedCell.allCases.flatMap { cell in
      relations.map { Case(cell: cell, k1: $0.0, k2: $0.1) }
        + single.map { Case(cell: cell, regularization: $0, lanes: 9) }
    } + single.flatMap { [Case(regularization: $0, k2: 3, lanes: 1), Case(regularization: $0, ties: true)] }

  // MARK: Gradients

  /// The losses are those of the plain network, whose masks do not change with time; the last gradient is, by central
  /// differences, that of the plain network's objective, AR and TAR in it; the losses are without them.
  @Test(arguments: cases)
  func followsThePlainNetwork(_ test: Case) throws { try follow(test, test.cell.layer(DoubleKernels.self)) }

  private func follow<Layer: RecurrentLayer<DoubleKernels>>(_ test: Case, _: Layer.Type) throws {
    let problem = try Problem<Layer>(test)
    let plain = problem.plain(number: 5)
    let bptt = problem.bptt(test)
    var lossSum = 0.0
    for window in problem.windows(test.k1) { lossSum += bptt.step(window, parameters: problem.parameters, number: 5) }
    let reach = min(test.k2, test.k1 + min(Self.steps - test.k1, max(0, test.k2 - test.k1)))
    let (cut, scored) = (Self.steps - reach, min(test.k1, reach))
    func objective(_ parameters: ParameterSet<Double>) -> PlainRegularizedNetwork.Objective {
      plain.objective(parameters, before: problem.parameters, problem.stream, cut: cut, scored: scored)
    }
    #expect(abs(lossSum - objective(problem.parameters).lossSum) < 1e-11)
    for slot in problem.network.layout.slots {
      let count = problem.parameters[slot].count
      for index in stride(from: 0, to: count, by: max(1, count / 7)) {
        func shifted(_ difference: Double) -> Double {
          objective(problem.shifted(slot, index, difference)).differentiated
        }
        let numeric = (shifted(1e-5) - shifted(-1e-5)) / 2e-5
        let analytic = bptt.gradients[slot].elements[index]
        #expect(
          abs(analytic - numeric) <= 3e-9 + 1e-7 * abs(numeric),
          "\(problem.network.layout[slot].name)[\(index)]: \(analytic), numerically \(numeric)")
      }
    }
  }

  /// Each changes the loss or, where it is a penalty, the gradient alone; another update draws other masks, the same update
  /// the same ones.
  @Test(arguments: single)
  func isDrawnAnewForEachUpdate(_ regularization: Regularization) throws {
    let test = Case(regularization: regularization, k1: 6, k2: 6, lanes: 9)
    let problem = try Problem<LSTM<DoubleKernels>>(test)
    func step(_ regularization: Regularization, number: Int, seed: UInt64 = 77) -> (Double, [Double]) {
      let bptt = problem.bptt(Case(regularization: regularization, k1: 6, k2: 6, lanes: 9), seed: seed)
      let loss = bptt.step(problem.windows(6)[0], parameters: problem.parameters, number: number)
      return (loss, bptt.gradients.flat.elements)
    }
    let (without, first, again) = (
      step(.init(), number: 1), step(regularization, number: 1), step(regularization, number: 1)
    )
    let (other, elsewhere) = (step(regularization, number: 2), step(regularization, number: 1, seed: 78))
    let isPenalty = regularization.activation + regularization.temporalActivation > 0
    #expect(first.0 == again.0 && first.1 == again.1)
    #expect((first.0 == without.0) == isPenalty && first.1 != without.1)
    #expect((first.0 == other.0) == isPenalty && (first.0 == elsewhere.0) == isPenalty)
  }

  /// Masks differ from lane to lane and place to place, so lanes that read the same text predict differently.
  @Test func lanesHaveMasksOfTheirOwn() throws {
    var configuration = try Problem<LSTM<DoubleKernels>>(Case()).network.configuration
    (configuration.embeddingSize, configuration.hiddenSize) = (40, 40)
    let plain = PlainRegularizedNetwork(
      configuration: configuration, regularization: Self.everything, lanes: 40, seed: 77, number: 3)
    let masks = (0...2).flatMap { place in (0..<40).map { plain.lockedMask(place: place, lane: $0) } }
    #expect(Set(masks).count == masks.count)
    for (place, probability) in [0.3, 0.4, 0.5].enumerated() {
      let values = masks[place * 40..<(place + 1) * 40].joined()
      let share = Double(values.count { $0 == 0 }) / 1600
      #expect(abs(share - probability) < 4 * (probability * (1 - probability) / 1600).squareRoot())
      #expect(values.allSatisfy { $0 == 0 || abs($0 - 1 / (1 - probability)) < 1e-4 })
    }
  }

  // MARK: Bits

  /// Gradients, losses and states are the same to the bit, however a window is cut into segments.
  @Test(
    arguments: TestedCell.allCases.flatMap { cell in
      [(12, 12, 1), (12, 12, 5), (4, 12, 3), (6, 4, 2), (4, 8, 3)].map {
        Case(cell: cell, k1: $0.0, k2: $0.1, recompute: $0.2)
      }
    })
  func recomputationChangesNoBit(_ test: Case) throws { try recompute(test, test.cell.layer(DoubleKernels.self)) }

  private func recompute<Layer: RecurrentLayer<DoubleKernels>>(_ test: Case, _: Layer.Type) throws {
    let problem = try Problem<Layer>(test)
    var whole = test
    whole.recompute = nil
    let (plain, cut) = (problem.bptt(whole), problem.bptt(test))
    for (number, window) in problem.windows(test.k1).enumerated() {
      let losses = [plain, cut].map { $0.step(window, parameters: problem.parameters, number: number) }
      #expect(losses[0] == losses[1])
      #expect(plain.gradients.flat.elements == cut.gradients.flat.elements)
    }
  }

  /// Ten updates give the same bits for any number of threads.
  @Test(arguments: TestedCell.allCases, [2, 3])
  func threadsDoNotChangeABit(_ cell: TestedCell, _ threads: Int) throws {
    let layer = cell.layer(Float32Kernels.self)
    #expect(try train(cell, threads: 1, layer) == train(cell, threads: threads, layer))
  }

  private func train<Layer: RecurrentLayer<Float32Kernels>>(
    _ cell: TestedCell, threads: Int, _: Layer.Type
  ) throws -> [Float] {
    let network = try TruncatedBPTTTests.network(Layer.self, cell, vocabulary: 11, hidden: 20)
    var parameters = network.initialParameters(seed: 1)
    let bptt = TruncatedBPTT(
      network, lanes: 70, Truncation(k1: 6), workers: Workers(threads: threads), regularization: Self.everything,
      seed: 4)
    var adam = Adam<Float>(.init(), layout: network.layout)
    for step in 0..<10 {
      let window = TruncatedBPTTTests.window(steps: 6, lanes: 70, vocabulary: 11, seed: UInt64(step))
      _ = bptt.step(window, parameters: parameters, number: step)
      adam.update(&parameters, gradients: bptt.gradients, learningRate: 0.01)
    }
    return parameters.flat.elements
  }

  /// A probability that rounds to nothing draws masks of ones, and these change no bit. (Input dropout gathers, which sums
  /// in another order.)
  @Test(arguments: TestedCell.allCases)
  func masksOfOnesChangeNoBit(_ cell: TestedCell) throws { try maskByOnes(cell, cell.layer(DoubleKernels.self)) }

  private func maskByOnes<Layer: RecurrentLayer<DoubleKernels>>(_ cell: TestedCell, _: Layer.Type) throws {
    let little = 1e-9
    let test = Case(
      cell: cell,
      regularization: .init(
        hiddenDropout: little, outputDropout: little, weightDrop: little, embeddingDropout: little))
    let problem = try Problem<Layer>(test)
    var without = test
    without.regularization = .init()
    let trainings = [problem.bptt(test), problem.bptt(without)]
    for window in problem.windows(3) {
      let losses = trainings.map { $0.step(window, parameters: problem.parameters, number: 1) }
      #expect(losses[0] == losses[1])
      #expect(trainings[0].gradients.flat.elements == trainings[1].gradients.flat.elements)
    }
  }

  // MARK: Precisions

  @Test(arguments: TestedCell.allCases)
  func float32FollowsDouble(_ cell: TestedCell) throws {
    try follow(cell, cell.layer(DoubleKernels.self), cell.layer(Float32Kernels.self), tolerance: 2e-5)
  }

  @Test(.needsBFloat16, arguments: [TestedCell.lstm, .gru, .tanhRNN])
  func bfloat16FollowsDouble(_ cell: TestedCell) throws {
    try follow(cell, cell.layer(DoubleKernels.self), cell.layer(BFloat16Kernels.self), tolerance: 0.03)
  }

  private func follow<Reference: RecurrentLayer<DoubleKernels>, Layer: RecurrentLayer>(
    _ cell: TestedCell, _: Reference.Type, _: Layer.Type, tolerance: Double
  ) throws where Layer.K.Real == Float {
    let double = try TruncatedBPTTTests.network(Reference.self, cell, vocabulary: 13, hidden: 37)
    let float = try TruncatedBPTTTests.network(Layer.self, cell, vocabulary: 13, hidden: 37)
    let parameters = float.initialParameters(seed: 8)
    var same = ParameterSet<Double>(double.layout)
    for slot in double.layout.slots { same.writable(slot).copy(from: parameters[slot].elements.map(Double.init)) }
    let window = TruncatedBPTTTests.window(steps: 5, lanes: 9, vocabulary: 13, seed: 4)
    let a = TruncatedBPTT(
      double, lanes: 9, Truncation(k1: 5), workers: Workers(threads: 1), regularization: Self.everything, seed: 1)
    let b = TruncatedBPTT(
      float, lanes: 9, Truncation(k1: 5), workers: Workers(threads: 1), regularization: Self.everything, seed: 1)
    for number in 0..<2 {
      let losses = (
        a.step(window, parameters: same, number: number), b.step(window, parameters: parameters, number: number)
      )
      #expect(abs(losses.0 - losses.1) < tolerance * losses.0)
      for slot in double.layout.slots {
        let scale = a.gradients[slot].elements.map(abs).max() ?? 0
        let difference = largestDifference(a.gradients[slot].elements, b.gradients[slot].elements.map(Double.init))
        #expect(difference < tolerance * max(scale, 1e-3), "\(double.layout[slot].name)")
      }
    }
  }
}

/// A random network and a random stream.
private struct Problem<Layer: RecurrentLayer<DoubleKernels>> {
  let network: Network<Layer>
  let parameters: ParameterSet<Double>
  let stream: TokenWindow
  private let test: RegularizationTests.Case

  init(_ test: RegularizationTests.Case) throws {
    self.test = test
    network = Network(
      try ModelConfiguration(
        cell: test.cell.cell, nonlinearity: test.cell.nonlinearity, vocabularySize: 5,
        embeddingSize: test.ties ? 4 : 3, hiddenSize: 4, layers: 2, tiesWeights: test.ties))
    var parameters = ParameterSet<Double>(network.layout)
    // The states of relu grow with the weights, and with them the rounding of differences.
    let bound = test.cell == .reluRNN ? 0.5 : 0.9
    for slot in network.layout.slots { parameters.fillUniform(slot, bound: bound, seed: 3) }
    self.parameters = parameters
    stream = TruncatedBPTTTests.window(steps: RegularizationTests.steps, lanes: test.lanes, vocabulary: 5, seed: 9)
  }

  func bptt(_ test: RegularizationTests.Case, seed: UInt64 = 77) -> TruncatedBPTT<Layer> {
    TruncatedBPTT(
      network, lanes: test.lanes, Truncation(k1: test.k1, k2: test.k2, recompute: test.recompute),
      workers: Workers(threads: 1), regularization: test.regularization, seed: seed)
  }

  func plain(number: Int) -> PlainRegularizedNetwork {
    PlainRegularizedNetwork(
      configuration: network.configuration, regularization: test.regularization, lanes: test.lanes, seed: 77,
      number: number)
  }

  func windows(_ k1: Int) -> [TokenWindow] {
    stride(from: 0, to: stream.steps, by: k1).map {
      TruncatedBPTTTests.part(stream, $0..<min($0 + k1, stream.steps))
    }
  }

  func shifted(_ slot: ParameterLayout.Slot, _ index: Int, _ difference: Double) -> ParameterSet<Double> {
    var shifted = parameters
    let rows = shifted.writable(slot)
    rows[index / rows.columns, index % rows.columns] += difference
    return shifted
  }
}
