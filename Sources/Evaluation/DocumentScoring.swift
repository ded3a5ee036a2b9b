import LanguageModeling
import Tokenization

/// What a model makes of documents.
public struct DocumentScore: Sendable, Equatable {
  /// Every symbol, the ends too.
  public var all = Score()
  /// The ends alone.
  public var ends = Score()
}

extension Scorer {
  /// Documents that are read side by side at most.
  private static var documentLanes: Int { 64 }

  /// Scores a stream of documents, each `<s>` … `</s>`: every symbol after `<s>`, the end too.
  ///
  /// Lanes read document after document and begin anew at each, so the result is that of reading them one by one. It is
  /// added up in the order of the stream.
  public func score(documents stream: [Int32], _ symbols: DocumentSymbols) -> DocumentScore {
    var score = DocumentScore()
    let losses = surprisals(stream, symbols)
    for (token, loss) in zip(stream, losses) where token != symbols.start {
      score.all.add(loss)
      if token == symbols.end { score.ends.add(loss) }
    }
    return score
  }

  /// The same quickly, for watching a training: exactly where there are documents enough to fill `lanes`, else as
  /// ``scoreInLanes(_:lanes:warmUp:)``.
  public func scoreQuickly(_ tokens: TokenStream, lanes: Int, warmUp: Int) -> Score {
    guard let symbols = model.configuration.documents else {
      return scoreInLanes(tokens, lanes: lanes, warmUp: warmUp)
    }
    let tokens = Array(tokens)
    let isFilled = DocumentLanes(symbols.ranges(of: tokens), atMost: lanes).lanes.count == lanes
    return isFilled ? score(documents: tokens, symbols).all : scoreInLanes(tokens, lanes: lanes, warmUp: warmUp)
  }

  /// The surprisal of each token at its place in the stream; 0 where a document begins.
  func surprisals(_ stream: [Int32], _ symbols: DocumentSymbols, _ progress: ReadingProgress? = nil) -> [Double] {
    let plan = DocumentLanes(symbols.ranges(of: stream), atMost: Self.documentLanes)
    var surprisals = [Double](repeating: 0, count: stream.count)
    let lanes = plan.lanes.map { $0.flatMap { $0 } }  // places in the stream
    let length = lanes.map(\.count).max() ?? 0
    guard length > 0 else { return surprisals }
    let reader = model.makeReader(lanes: lanes.count, steps: min(64, length), threads: threads)
    for start in stride(from: 0, to: length, by: reader.steps) {
      let steps = start..<min(start + reader.steps, length)
      var inputs: [Int32] = []
      var targets: [Int32] = []
      for t in steps {
        for lane in lanes {
          // A lane that is through reads on, unheard; and what follows a document's end is not predicted.
          inputs.append(t < lane.count ? stream[lane[t]] : symbols.start)
          targets.append(t + 1 < lane.count ? stream[lane[t + 1]] : symbols.start)
        }
      }
      let losses = reader.losses(TokenWindow(steps: steps.count, lanes: lanes.count, inputs: inputs, targets: targets))
      for (row, loss) in losses.enumerated() where targets[row] != symbols.start {
        surprisals[lanes[row % lanes.count][start + row / lanes.count + 1]] = loss
      }
      progress?(steps.upperBound * lanes.count, length * lanes.count)
    }
    return surprisals
  }
}

/// Documents dealt out to lanes of about the same length.
package struct DocumentLanes: Equatable {
  /// The documents of each lane, as ranges of the stream.
  package let lanes: [[Range<Int>]]

  /// As many lanes as the longest document leaves work for: the longest first, each to the shortest lane.
  package init(_ documents: [Range<Int>], atMost most: Int) {
    let total = documents.reduce(0) { $0 + $1.count }
    let longest = documents.map(\.count).max() ?? 0
    guard longest > 0 else {
      lanes = []
      return
    }
    let count = min(most, (total + longest - 1) / longest)
    var lanes = [[Range<Int>]](repeating: [], count: count)
    var lengths = [Int](repeating: 0, count: count)
    let order = documents.indices.sorted { (documents[$1].count, $0) < (documents[$0].count, $1) }
    for index in order {
      let shortest = lengths.indices.reduce(0) { lengths[$1] < lengths[$0] ? $1 : $0 }
      lanes[shortest].append(documents[index])
      lengths[shortest] += documents[index].count
    }
    self.lanes = lanes
  }
}
