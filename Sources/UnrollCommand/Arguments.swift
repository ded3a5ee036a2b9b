import ArgumentParser
import Compute
import LanguageModeling
import Recurrence
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Nonlinearity: ExpressibleByArgument {}
extension UnknownPolicy: ExpressibleByArgument {}

/// What `--precision` takes.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
  case auto, float32, bf16, int8

  /// - Parameter automatic: What `auto` stands for.
  func precision(automatic: Precision) -> Precision {
    switch self {
    case .auto: automatic
    case .float32: .float32
    case .bf16: .bfloat16
    case .int8: .int8
    }
  }
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

/// An empty path is a mistake, as of a variable that was not set.
func requirePath(_ path: String, _ name: String) throws { try require(!path.isEmpty, "\(name) is empty.") }

/// Input files have names, and standard input is read once.
func requireDistinctInputs(_ paths: [String]) throws {
  for path in paths { try requirePath(path, "The name of a file") }
  try require(paths.count { $0 == "-" } <= 1, "Standard input (-) can be read once only.")
}

/// The options that choose a recurrent cell.
struct CellOptions: ParsableArguments {
  @Option(help: "Recurrent cell: lstm, gru or rnn. The default is lstm.")
  var cell: RecurrentCell?

  @OptionGroup var norm: LayerNormOption

  @Option(help: "What a plain rnn does with its sums: tanh or relu. The default is tanh.")
  var nonlinearity: Nonlinearity?

  /// The cell, with layer normalization where that is asked for.
  var chosen: RecurrentCell { norm.applied(to: cell ?? .lstm) }

  func validate() throws {
    try require(
      nonlinearity == nil || cell == .rnn,
      "--nonlinearity is for --cell rnn; \((cell ?? .lstm).rawValue) has its own.")
    try norm.validate(with: cell)
  }
}

/// The options of every command that computes.
struct ComputeOptions: ParsableArguments {
  @Option(
    help: """
      Numbers to compute in: float32, bf16 (bfloat16 operands, float32 sums), int8 (bytes; not for training) or auto. \
      auto is bf16 where the processor has it in hardware and float32 elsewhere; in perplexity it is float32.
      """)
  var precision: PrecisionArgument = .auto

  @Option(
    help:
      "Threads at most; 0 takes as many as the machine has cores. The result is the same to the bit for any number."
  )
  var threads = 0

  var threadCount: Int { threads == 0 ? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) : threads }

  func validate() throws { try require((0...1024).contains(threads), "--threads is \(threads); it must be 0 to 1024.") }
}
