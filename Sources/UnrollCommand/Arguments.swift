import ArgumentParser
import LanguageModeling
import Tokenization
import UnicodeText

extension NormalizationForm: ExpressibleByArgument {}
extension UnknownPolicy: ExpressibleByArgument {}

/// What `--precision` takes.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
  case auto, float32

  /// `auto` is the fastest that this version has on every processor.
  var precision: Precision { .float32 }
}

/// A length of time: 90s, 15m, 2h; a bare number is seconds.
struct DurationArgument: ExpressibleByArgument {
  let seconds: Double

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    let unit = argument.last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number > 0, number.isFinite else {
      return nil
    }
    seconds = number * (unit ?? 1)
  }
}

/// Stops with ArgumentParser's usage form where a condition on a flag does not hold.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  guard condition else { throw ValidationError(message()) }
}

/// The options of every command that computes.
struct ComputeOptions: ParsableArguments {
  @Option(help: "Numbers to compute in: auto or float32.")
  var precision: PrecisionArgument = .auto

  @Option(help: "Threads; 0 takes as many as the machine has cores. The result is the same for any number.")
  var threads = 0

  func validate() throws { try require((0...1024).contains(threads), "--threads is \(threads); it must be 0 to 1024.") }
}
