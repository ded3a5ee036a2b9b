import Tokenization

/// Cuts a text that comes in pieces into documents, as ``DocumentCut/documents(of:)`` cuts the whole.
///
/// It holds back what may be a separator's beginning, and line ends while nothing else has come of their document.
struct DocumentCutter {
  enum Event: Equatable {
    /// A document begins at this byte of the text.
    case begin(Int)
    case text([UInt8])
    /// The document ends before this byte.
    case end(Int)
  }

  /// Documents left out, since they hold nothing but line ends.
  private(set) var empty = 0

  /// Nil where the whole text is a document.
  private let separator: [UInt8]?
  private let isLine: Bool
  private var events: [Event] = []
  /// What has come; what is in no event yet begins at `head`, which is byte `place` of the text.
  private var held: [UInt8] = []
  private var head = 0
  private var place = 0
  /// Line ends that begin a document; nil where its text has begun.
  private var blank: [UInt8]? = []
  private var documentStart = 0

  init(_ cut: DocumentCut) {
    switch cut {
    case .stream, .file: separator = nil
    case .line: separator = [UInt8(ascii: "\n")]
    case .separator(let text): separator = Array(text.utf8)
    }
    isLine = cut == .line
  }

  /// No document that is still to begin begins before this byte.
  var settled: Int { documentStart }

  /// What is known by now of the documents.
  mutating func append(_ text: ArraySlice<UInt8>) -> [Event] {
    held += text
    cutHeld()
    let kept = max((separator?.count ?? 1) - 1, isLine && held.last == UInt8(ascii: "\r") ? 1 : 0)
    take(upTo: max(head, held.count - kept))
    return drain()
  }

  mutating func finish() -> [Event] {
    // What follows the last separator is a document where it is not empty.
    if separator == nil || place + held.count - head > documentStart { end(at: held.count) }
    return drain()
  }

  private mutating func drain() -> [Event] {
    held.removeFirst(head)
    head = 0
    defer { events.removeAll() }
    return events
  }

  /// Ends documents at the separators in what is held.
  private mutating func cutHeld() {
    guard let separator else { return }
    var from = head
    while let found = held[from...].firstIndex(of: separator[0]), found + separator.count <= held.count {
      guard held[found...].starts(with: separator) else {
        from = found + 1
        continue
      }
      end(at: found)
      skip(separator.count)
      documentStart = place
      from = head
    }
  }

  private mutating func skip(_ count: Int) {
    head += count
    place += count
  }

  /// Ends the document before a byte of what is held.
  private mutating func end(at index: Int) {
    let hasReturn = isLine && index > head && held[index - 1] == UInt8(ascii: "\r")
    take(upTo: hasReturn ? index - 1 : index)
    if blank == nil { events.append(.end(place)) } else { empty += 1 }
    if hasReturn { skip(1) }
    blank = []
  }

  /// Adds what is held before a byte to the document.
  private mutating func take(upTo index: Int) {
    guard index > head else { return }
    let bytes = held[head..<index]
    skip(bytes.count)
    if blank == nil {
      events.append(.text(Array(bytes)))
    } else if bytes.allSatisfy({ $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      blank?.append(contentsOf: bytes)
    } else {
      events += [.begin(documentStart), .text((blank ?? []) + bytes)]
      blank = nil
    }
  }
}
