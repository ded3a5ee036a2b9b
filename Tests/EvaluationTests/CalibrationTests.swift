import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// The temperature that fits a text.
@Suite struct CalibrationTests {
  /// Predictions that are right when their logits are divided by `truth`: surprisals are expected ones.
  private struct Predictions {
    let logits: [[Double]]
    let truth: Double

    init(symbols: Int, truth: Double) {
      var random = CounterRandom(seed: 1, purpose: .corpus)
      logits = (0..<200).map { _ in randomNumbers(symbols, bound: 4, using: &random) }
      self.truth = truth
    }

    private func probabilities(_ logits: [Double], _ temperature: Double) -> [Double] {
      let weights = logits.map { exp($0 / temperature) }
      let sum = weights.reduce(0, +)
      return weights.map { $0 / sum }
    }

    func excess(_ temperature: Double) -> Double {
      let means = logits.map { logits in
        let (predicted, real) = (probabilities(logits, temperature), probabilities(logits, truth))
        return zip(predicted, real).reduce(0) { $0 + ($1.0 - $1.1) * log($1.0) }
      }
      return means.reduce(0, +) / Double(means.count)
    }
  }

  @Test(arguments: [0.6, 0.9, 1.25, 1.8], [2, 30, 3000])
  func findsTheTemperature(_ truth: Double, _ symbols: Int) {
    let predictions = Predictions(symbols: symbols, truth: truth)
    var tried: [Double] = []
    let found = Calibration.temperature {
      tried.append($0)
      return predictions.excess($0)
    }
    #expect(abs(found - truth) < 0.01 && tried.count <= 4 && tried.first == 1, "\(found) after \(tried)")
  }

  @Test func staysWithinBounds() {
    #expect(Calibration.temperature(excess: Predictions(symbols: 30, truth: 9).excess) == 2)
    #expect(Calibration.temperature(excess: Predictions(symbols: 30, truth: 0.01).excess) == 0.5)
    #expect(Calibration.temperature(excess: Predictions(symbols: 30, truth: 1).excess) == 1)
    #expect(Calibration.temperature { _ in .nan } == 1)
    #expect(Calibration.temperature { $0 == 1 ? 0.2 : .infinity } == 1)
    // What grows with the temperature is no excess of a convex loss.
    #expect(Calibration.temperature { $0 } == 1)
  }

  private static let symbols = DocumentSymbols(start: 0, end: 1, cut: .line)

  private func model(documents: DocumentSymbols?) throws -> any LanguageModel {
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: 7, embeddingSize: 5, hiddenSize: 9, layers: 2, documents: documents))
    return RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
  }

  /// Each lane by itself, from where it begins.
  @Test(arguments: [(1000, 4), (330, 3), (70, 1)], [true, false])
  func lanesAreSpread(_ sizes: (targets: Int, lanes: Int), hasDocuments: Bool) throws {
    let (targets, lanes) = sizes
    let documents = hasDocuments ? Self.symbols : nil
    let model = try model(documents: documents)
    var random = CounterRandom(seed: 2, purpose: .corpus)
    var text: [Int32] = []
    while text.count <= targets { text.append(Int32(random.uniform() * 7)) }
    var excesses: [Double] = []
    for lane in 0..<lanes {
      let begin = lane * targets / lanes
      let end = begin + min(110, targets / lanes)
      let part = Array(text[begin...end])
      let reader = model.makeReader(lanes: 1, steps: part.count - 1, threads: 1)
      let predictions = reader.predictions(
        TokenWindow(
          steps: part.count - 1, lanes: 1, inputs: Array(part.dropLast()), targets: Array(part.dropFirst())),
        PredictionDetail())
      for place in 10..<part.count - 1 where documents == nil || part[place + 1] != 0 {
        excesses.append(predictions.surprisals[place] - predictions.entropies[place])
      }
    }
    let expected = excesses.reduce(0, +) / Double(excesses.count)
    for threads in [1, 2] {
      let excess = Scorer(model, threads: threads).excessSurprisal(
        of: TokenStream(text), lanes: 4, warmUp: 10, length: 100)
      #expect(abs(excess - expected) < 1e-12 && excess != 0)
    }
  }

  @Test func nothingCounts() throws {
    let excess = Scorer(try model(documents: nil)).excessSurprisal(
      of: TokenStream([1, 2, 3]), lanes: 4, warmUp: 10, length: 100)
    #expect(excess.isNaN)
  }
}
