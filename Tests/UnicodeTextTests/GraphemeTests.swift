import Compute
import TestSupport
import Testing
import UnicodeText

@Suite struct GraphemeTests {
  @Test(
    arguments: [
      ["e\u{301}", "a", "\r\n", "\n", "\r", "b"], ["\u{1F469}\u{200D}\u{1F467}", "\u{1F469}"],
      ["\u{1F1E9}\u{1F1EA}", "\u{1F1EB}\u{1F1F7}", "\u{1F1EC}"],
      ["\u{1100}\u{1161}\u{11A8}", "\u{AC00}\u{11A8}", "\u{1100}"],
      ["\u{301}", "\n", "\u{301}"], ["\u{915}\u{93F}", "\u{E01}\u{E33}\u{308}"], ["\0", "<", "s", ">"], [],
    ])
  func cutsIntoClusters(_ clusters: [String]) {
    let text = clusters.flatMap(\.unicodeScalars)
    #expect(GraphemeClusters(text).map(\.scalarValues) == clusters.map(\.scalarValues))
  }

  /// A breaker that has seen only the cluster so far says the same as one that has seen the whole text.
  @Test(arguments: 0..<50)
  func needsNoMoreThanTheCluster(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let text = randomScalars(300, using: &random) + tortureText.unicodeScalars
    let clusters = Array(GraphemeClusters(text))
    #expect(clusters.flatMap(\.unicodeScalars) == text)
    for (cluster, next) in zip(clusters, clusters.dropFirst()) {
      let pair = Array(cluster.unicodeScalars) + next.unicodeScalars
      #expect(GraphemeClusters(pair).map(\.scalarValues) == [cluster.scalarValues, next.scalarValues])
    }
  }

  /// Clusters of a text that is normalized and cut as it comes, piece by piece.
  @Test(arguments: [1, 3, 64])
  func cutsAStream(_ size: Int) throws {
    var stream = NormalizerStream(Normalizer(.nfc))
    var breaker = GraphemeBreaker()
    var clusters: [[UInt32]] = []
    var piece: [UInt8] = []
    func take() {
      for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
        if breaker.beginsCluster(at: scalar) { clusters.append([]) }
        clusters[clusters.count - 1].append(scalar.value)
      }
      piece.removeAll()
    }
    try Array(tortureText.utf8).forEachPiece([size]) {
      try stream.append($0, to: &piece)
      take()
    }
    try stream.finish(&piece)
    take()
    let whole = NormalizationForm.nfc.normalize(tortureText).unicodeScalars
    #expect(clusters == GraphemeClusters(whole).map(\.scalarValues))
  }
}
