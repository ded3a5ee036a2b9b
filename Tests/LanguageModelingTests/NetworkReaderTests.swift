import Compute
import Foundation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// Reading a text: whatever the threads, the windows and the texts beside it, the bits are the same.
@Suite struct NetworkReaderTests {
  static let vocabulary = 71
  static let length = 40

  private func model<K: Kernels>(_ cell: TestedCell, _: K.Type, hidden: Int) throws -> any LanguageModel {
    try model(cell, cell.layer(K.self), hidden: hidden)
  }

  private func model<Layer: RecurrentLayer>(
    _ cell: TestedCell, _: Layer.Type, hidden: Int
  ) throws -> any LanguageModel {
    let network = Network<Layer>(
      try ModelConfiguration(
        cell: cell.cell, vocabularySize: Self.vocabulary, embeddingSize: 9, hiddenSize: hidden, layers: 2))
    return RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
  }

  private func models(_ cell: TestedCell, hidden: Int) throws -> [any LanguageModel] {
    [
      try model(cell, DoubleKernels.self, hidden: hidden), try model(cell, Float32Kernels.self, hidden: hidden),
      try model(cell, BFloat16Kernels.self, hidden: hidden), try model(cell, Int8Kernels.self, hidden: hidden),
      try model(cell, OneDNNKernels<Float>.self, hidden: hidden),
    ]
  }

  private func text(_ seed: UInt64) -> [Int32] {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return (0...Self.length).map { _ in Int32(random.next() % UInt64(Self.vocabulary)) }
  }

  /// Losses of several texts side by side, in windows of some lengths, lane after lane.
  private func losses(
    _ model: any LanguageModel, _ texts: [[Int32]], windows: [Int], threads: Int
  ) -> [[Double]] {
    let reader = model.makeReader(lanes: texts.count, steps: windows.max() ?? 1, threads: threads)
    var losses = texts.map { _ in [Double]() }
    var place = 0
    for steps in windows {
      let places = (place..<place + steps).flatMap { t in texts.indices.map { (t, $0) } }
      let window = TokenWindow(
        steps: steps, lanes: texts.count, inputs: places.map { texts[$0.1][$0.0] },
        targets: places.map { texts[$0.1][$0.0 + 1] })
      for (loss, place) in zip(reader.losses(window), places) { losses[place.1].append(loss) }
      place += steps
    }
    return losses
  }

  @Test(arguments: [TestedCell.lstm, .layerNormLSTM], [24, 128, 150])
  func bitsAreTheSame(_ cell: TestedCell, _ hidden: Int) throws {
    let texts = [text(1), text(2), text(3)]
    for model in try models(cell, hidden: hidden) {
      let expected = losses(model, texts, windows: [Self.length], threads: 1)
      #expect(expected.allSatisfy { $0.count == Self.length && $0.allSatisfy(\.isFinite) })
      for threads in [2, 3, 4] {
        #expect(losses(model, texts, windows: [17, 1, 22], threads: threads) == expected)
      }
      for (text, alone) in zip(texts, expected) {
        #expect(losses(model, [text], windows: [1, 38, 1], threads: 2) == [alone])
      }
    }
  }

  /// The logits of a symbol predict what the losses say of it, symbol by symbol or at once; `reset` begins anew.
  @Test(arguments: [TestedCell.lstm, .layerNormLSTM], [1, 2])
  func logitsAgreeWithLosses(_ cell: TestedCell, _ threads: Int) throws {
    let tokens = text(4)
    for model in try models(cell, hidden: 70) {
      let expected = losses(model, [tokens], windows: [Self.length], threads: threads)[0]
      let reader = model.makeReader(lanes: 1, steps: Self.length + 1, threads: threads)
      for _ in 0..<2 {
        for place in 0..<Self.length {
          let logits = reader.logits(after: [tokens[place]])
          let largest = logits.max() ?? 0
          let loss = logSum(logits, largest) + largest - logits[Int(tokens[place + 1])]
          #expect(abs(loss - expected[place]) < 1e-5)
        }
        reader.reset()
      }
      let atOnce = reader.logits(after: tokens)
      let single = model.makeReader(lanes: 1, steps: 1, threads: 1)
      #expect(tokens.map { single.logits(after: [$0]) }.last == atOnce)
    }
  }

  private func logSum(_ logits: [Double], _ largest: Double) -> Double {
    log(logits.reduce(0) { $0 + exp($1 - largest) })
  }

  /// Reading predicts what training computed.
  @Test func readingAgreesWithTraining() throws {
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: Self.vocabulary, embeddingSize: 9, hiddenSize: 20, layers: 2))
    let parameters = network.initialParameters(seed: 1)
    let bptt = TruncatedBPTT(network, lanes: 1, k1: Self.length, workers: Workers(threads: 1))
    let tokens = text(5)
    let window = TokenWindow(
      steps: Self.length, lanes: 1, inputs: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()))
    let trained = bptt.step(window, parameters: parameters)
    let read = losses(
      RecurrentLanguageModel(network: network, parameters: parameters), [tokens], windows: [Self.length], threads: 1)
    #expect(abs(read[0].reduce(0, +) - trained) < 1e-11)
  }

  /// What rounding to bfloat16 or to bytes costs, on a model that knows nothing: little.
  @Test(arguments: [TestedCell.lstm, .layerNormLSTM])
  func roundingChangesLittle(_ cell: TestedCell) throws {
    let all = try models(cell, hidden: 128)
    let means = all.map {
      losses($0, [text(6)], windows: [Self.length], threads: 1)[0].reduce(0, +) / Double(Self.length)
    }
    #expect(abs(means[1] - means[0]) < 1e-6)
    // Fresh normalized gates are larger than others, and so is what rounding does to them.
    let (ofBFloat16, ofBytes) = cell == .lstm ? (2e-3, 5e-3) : (8e-3, 0.08)
    #expect(means[2] != means[1] && abs(means[2] - means[0]) < ofBFloat16)
    #expect(means[3] != means[1] && abs(means[3] - means[0]) < ofBytes, "\(means[3] - means[0])")
  }
}
