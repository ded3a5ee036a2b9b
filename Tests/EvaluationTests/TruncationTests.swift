import Compute
import Evaluation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// What truncated BPTT keeps of the full gradient, against the same gradients made one loss at a time.
@Suite struct TruncationTests {
  @Test(arguments: TestedCell.allCases)
  func everyEntryIsTheGradientOfItsPairsOfSteps(_ cell: TestedCell) throws {
    func check<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) throws {
      let model = try GradientFlowTests.model(Layer.self, cell, hidden: 5, layers: 2)
      let tokens = GradientFlowTests.tokens(12)
      let flow = try GradientFlow(of: model, on: tokens, GradientFlowTests.settings(lags: 7, steps: 11, lanes: 1))
      let losses = LossGradients(model, tokens)
      let full = losses.sum { loss in (0, loss) }
      #expect(flow.truncation.map(\.k2) == [1, 2, 3, 5, 7, 2, 3, 5, 7, 11])
      #expect(flow.truncation.map(\.k1) == [1, 1, 1, 1, 1, 2, 3, 5, 7, 11])
      for entry in flow.truncation {
        // The losses of the newest k1 steps go back through the last k2 steps.
        let truncated = losses.sum { loss in
          let end = min(11, (loss / entry.k1 + 1) * entry.k1)
          let begin = entry.k1 == 1 ? max(0, end - entry.k2) : loss / entry.k1 * entry.k1
          return (begin, loss)
        }
        let (error, cosine) = compare(truncated, full)
        #expect(abs(entry.relativeError - error) < 1e-11 && abs(entry.cosine - cosine) < 1e-11)
      }
    }
    try check(cell.layer(DoubleKernels.self))
  }

  /// In a network that forgets, longer k2 is nearer to the full gradient, and the first that is near enough is advised.
  @Test func longerIsNearerWhereGradientsVanish() throws {
    let model = try GradientFlowTests.model(RNN<DoubleKernels>.self, .tanhRNN, hidden: 6, layers: 1) { name, tensor in
      if name == "rnn.weight_hh_l0" { tensor.copy(from: orthogonal(6, seed: 2).map { $0 * 0.7 }) }
    }
    let flow = try GradientFlow(
      of: model, on: GradientFlowTests.tokens(400), GradientFlowTests.settings(lags: 50, steps: 60, lanes: 3))
    for everyStep in [true, false] {
      let entries = flow.truncation.filter { everyStep ? $0.k1 == 1 : $0.k1 == $0.k2 }
      #expect(entries.count >= 9)
      for (shorter, longer) in zip(entries, entries.dropFirst()) {
        // Chunks of other lengths are cut at other places, where more or less may be lost.
        guard everyStep else { continue }
        #expect(
          longer.cosine > shorter.cosine - 1e-12 && longer.relativeError < shorter.relativeError,
          "k2 \(shorter.k2) and \(longer.k2): \(shorter.cosine) \(longer.cosine), \(shorter.relativeError)")
        #expect(longer.activationBytes > shorter.activationBytes)
      }
      let advised = flow.recommended(everyStep: everyStep)
      #expect(entries.allSatisfy { $0.k2 < advised || $0.isFaithful })
      #expect(entries.last { $0.k2 < advised }?.isFaithful == false)
      #expect(advised > 1 && advised < 60)
    }
    #expect(flow.recommended(everyStep: true) <= flow.recommended(everyStep: false))
    let whole = try #require(flow.truncation.last)
    #expect(whole.k1 == 60 && whole.k2 == 60 && whole.relativeError == 0 && abs(whole.cosine - 1) < 1e-12)
    // float32: hidden states before, between and after 60 steps, and 60 steps' activations, of 3 lanes and 6 units.
    #expect(whole.activationBytes == 4 * 3 * 6 * (61 + 60))
    #expect(!flow.truncation.contains { $0.millisecondsPerStep <= 0 })
  }

  /// Where no truncation will do, the whole window is advised.
  @Test func wholeWindowIsAdvisedWhereGradientsExplode() throws {
    let model = try GradientFlowTests.model(RNN<DoubleKernels>.self, .reluRNN, hidden: 4, layers: 1) { name, tensor in
      if name == "rnn.weight_hh_l0" {
        for row in 0..<4 { for column in 0..<4 { tensor[row, column] = (row + 1) % 4 == column ? 1.2 : 0 } }
      } else if !name.hasPrefix("decoder") {
        tensor.copy(from: tensor.elements.map { abs($0) * 1e-3 })
      }
    }
    let flow = try GradientFlow(
      of: model, on: GradientFlowTests.tokens(400), GradientFlowTests.settings(lags: 20, steps: 30, lanes: 2))
    #expect(flow.layers[0].hidden.verdict == .exploding)
    #expect(flow.recommended(everyStep: true) == 30 && flow.recommended(everyStep: false) == 30)
  }

  @Test func shortTextsAreRefused() throws {
    let model = try GradientFlowTests.model(GRU<DoubleKernels>.self, .gru, hidden: 4, layers: 1)
    let settings = GradientFlowTests.settings(lags: 5, steps: 10, lanes: 3)
    #expect(throws: TextTooShort.self) { try GradientFlow(of: model, on: GradientFlowTests.tokens(30), settings) }
    #expect(throws: TextTooShort.self) { try GradientFlow(of: model, on: [], settings) }
    _ = try GradientFlow(of: model, on: GradientFlowTests.tokens(31), settings)
  }
}

/// Gradients of single losses of a text in one lane, through chosen steps: full BPTT over those steps, less the same
/// without the last loss.
private struct LossGradients<Layer: RecurrentLayer<DoubleKernels>> {
  let model: RecurrentLanguageModel<Layer>
  let window: TokenWindow

  init(_ model: RecurrentLanguageModel<Layer>, _ tokens: [Int32]) {
    self.model = model
    window = TokenWindow(
      steps: tokens.count - 1, lanes: 1, inputs: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()))
  }

  /// Σ over losses, each through the steps from the first to its own that `range` gives; the recurrent tensors only.
  func sum(_ range: (Int) -> (first: Int, loss: Int)) -> [Double] {
    var sum: [Double] = []
    for loss in 0..<window.steps {
      let (first, last) = range(loss)
      let (with, without) = (ofLosses(first..<last + 1), ofLosses(first..<last))
      let own = without.isEmpty ? with : zip(with, without).map(-)
      sum = sum.isEmpty ? own : zip(sum, own).map(+)
    }
    return sum
  }

  private func ofLosses(_ steps: Range<Int>) -> [Double] {
    guard !steps.isEmpty else { return [] }
    let bptt = TruncatedBPTT(model.network, lanes: 1, k1: window.steps, workers: Workers(threads: 1))
    if steps.lowerBound > 0 {
      _ = bptt.step(window.steps(0..<steps.lowerBound), parameters: model.parameters)
    }
    _ = bptt.step(window.steps(steps), parameters: model.parameters)
    let layout = model.network.layout
    return layout.slots.filter { layout[$0].name.hasPrefix("rnn.") }.flatMap { bptt.gradients[$0].elements }
      .map { $0 * Double(steps.count) }
  }
}

private func compare(_ a: [Double], _ b: [Double]) -> (relativeError: Double, cosine: Double) {
  func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
  let difference = zip(a, b).map(-)
  return ((dot(difference, difference) / dot(b, b)).squareRoot(), dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot())
}
