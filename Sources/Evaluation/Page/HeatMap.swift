import Reports
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The markup of texts coloured by surprisal.
///
/// Tokens of the beginning are elements of their own, with the alternatives as their title. What follows is coloured by
/// the word, neighbours of one colour together, so that a megabyte stays light enough to scroll; the rest is left out.
public final class HeatMap: ReadingFollower {
  /// Tokens that tell their alternatives.
  public static let detailedTokens = 20_000
  /// Bytes of text that are shown.
  public static let shownBytes = 4_000_000
  /// Bytes after which a part of the page ends with its line.
  private static let usualPart = 2000
  /// Upper bounds in bits of all colours but the last; under the first there is none.
  static let bounds = [1.0, 2, 4, 7, 11]

  private let names: [String]
  private let tokenizer: any Tokenizer

  private var markup = ""
  /// The markup of the part at hand, which the browser lays out when it comes into sight.
  private var part = ""
  /// Bytes of the text that are written.
  private var written = 0
  private var tokens = 0
  private var total = 0
  /// Bytes of the text in the part at hand.
  private var partBytes = 0
  private var isOpen = false
  private var pending = Pending()
  private var run: (colour: Int, text: String) = (0, "")

  /// Tokens that are coloured together.
  private struct Pending {
    var bits = 0.0
    var count = 0
    var end = 0
    var details: ScoredToken.Details?
    var id: Int32 = 0
  }

  /// A map without texts yet.
  public init(names: [String], _ tokenizer: any Tokenizer) {
    self.names = names
    self.tokenizer = tokenizer
  }

  /// Whether some of the texts was left out.
  private(set) var isShortened = false

  public func begin(_ index: Int) {
    (written, pending, run) = (0, Pending(), (0, ""))
    if total >= Self.shownBytes { isShortened = true }
    guard !isShortened else { return }
    if names.count > 1 { markup += "<h3>\(escaped(names[index]))</h3>\n" }
    markup += "<div class=\"heat\">\n"
    isOpen = true
  }

  public func add(_ token: ScoredToken, in text: PassingText) {
    guard hasRoom(for: token.bytes) else {
      flush(text)
      return
    }
    guard let surprisal = token.surprisal else { return }
    if token.isDocumentEnd {
      flush(text)
      return
    }
    let isDetailed = tokens < Self.detailedTokens
    // Words of what is not told token by token end where a token begins with white space.
    if !isDetailed, pending.count > 0, text.scalar(at: token.bytes.lowerBound)?.properties.isWhitespace ?? true {
      flush(text)
    }
    if pending.count == 0 { plain(until: token.bytes.lowerBound, text) }
    pending.bits += surprisal / log(2)
    pending.count += 1
    pending.end = max(pending.end, token.bytes.upperBound)
    (pending.details, pending.id) = (isDetailed ? token.details : nil, token.id)
    tokens += 1
    // Parts of a scalar wait for the others; a line's end may end a part of the page.
    let endsLine = pending.end > 0 && text[pending.end - 1] == UInt8(ascii: "\n")
    let isEnough = isDetailed || pending.end - written > 1000
    if endsLine || isEnough && text.start(of: pending.end) == pending.end { flush(text) }
  }

  public func advance(to place: Int, in text: PassingText) -> Int {
    guard pending.count == 0 else { return written }
    if place > written, hasRoom(for: written..<place) { plain(until: place, text) }
    return place
  }

  public func end(_ text: PassingText) {
    guard isOpen else { return }
    isOpen = false
    flush(text)
    endPart()
    markup += "</div>\n"
  }

  /// The elements of all texts that have ended.
  var html: String { markup }

  // MARK: Parts

  /// Whether a part of the text may still be shown. What comes after one that may not is not shown either.
  private func hasRoom(for part: Range<Int>) -> Bool {
    if total + max(0, part.upperBound - written) > Self.shownBytes { isShortened = true }
    return !isShortened
  }

  /// Text that was not scored.
  private func plain(until end: Int, _ text: PassingText) {
    while written < end {
      // Much of it is several parts of the page.
      let limit = end - written > Self.usualPart ? text.start(of: written + Self.usualPart) : end
      let lineEnd = (written..<limit).last { text[$0] == UInt8(ascii: "\n") }
      let next = lineEnd.map { $0 + 1 } ?? limit
      append(text.text(written..<next), colour: 0)
      move(to: next, text)
    }
  }

  private func flush(_ source: PassingText) {
    guard pending.count > 0 else { return }
    let end = max(written, pending.end)
    let text = source.text(written..<end)
    let mean = pending.bits / Double(pending.count)
    let colour = Self.bounds.firstIndex { mean < $0 } ?? Self.bounds.count
    if let details = pending.details {
      endRun()
      let isLineEnd = text == "\n" && colour > 1
      let title = title(text, details)
      part += "<i" + (colour > 0 ? " class=\"h\(colour)\"" : "") + " title=\"\(escaped(title))\">"
      part += (isLineEnd ? "↵" : text == "\n" ? "" : escaped(text)) + "</i>" + (text == "\n" ? "\n" : "")
    } else {
      append(text, colour: colour)
    }
    pending = Pending()
    move(to: end, source)
  }

  private func append(_ text: String, colour: Int) {
    if run.colour != colour { endRun() }
    run.colour = colour
    run.text += text
  }

  private func endRun() {
    let text = escaped(run.text)
    if !text.isEmpty { part += run.colour > 0 ? "<i class=\"h\(run.colour)\">\(text)</i>" : text }
    run = (0, "")
  }

  private func move(to end: Int, _ text: PassingText) {
    partBytes += end - written
    total += end - written
    written = end
    if mayPart(text) { endPart() }
  }

  /// Whether the part at hand may end here: where a line does, in a long line where a word does, at last anywhere.
  private func mayPart(_ text: PassingText) -> Bool {
    guard partBytes > Self.usualPart, written > text.start else { return false }
    if text[written - 1] == UInt8(ascii: "\n") || partBytes > 4 * Self.usualPart { return true }
    let neighbours = [text.scalar(at: text.start(of: written - 1)), text.scalar(at: written)]
    return partBytes > 2 * Self.usualPart && neighbours.contains { $0?.properties.isWhitespace ?? false }
  }

  /// The browser reckons with the lines and bytes of a part until it has laid it out.
  private func endPart() {
    endRun()
    guard !part.isEmpty else { return }
    let lines = part.utf8.count { $0 == UInt8(ascii: "\n") }
    markup += "<div class=\"part\" style=\"--lines:\(lines);--bytes:\(partBytes)\">\(part)</div>\n"
    (part, partBytes) = ("", 0)
  }

  private func title(_ text: String, _ details: ScoredToken.Details) -> String {
    let alternatives = details.alternatives.map {
      "\(Self.visible(tokenizer.text(of: $0.id))) \(decimal(100 * exp(-$0.surprisal), places: 1)) %"
    }
    return "\(Self.visible(text)): \(decimal(pending.bits, places: 2)) bits, rank \(details.rank); likeliest: "
      + alternatives.joined(separator: ", ")
  }

  private static func visible(_ text: String) -> String {
    text.replacing("\n", with: "↵").replacing(" ", with: "␣").replacing("\t", with: "⇥")
  }
}
