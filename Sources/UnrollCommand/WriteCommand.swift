import ArgumentParser
import LanguageModeling
import Sampling
import Tokenization

/// `unroll write`.
struct WriteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write",
    abstract: "Write a text together with a model, line by line.",
    discussion: """
      \(WritingDialogue.help)

      Text and what is asked for go to standard output, everything else to standard error; standard input can be a file \
      or a pipe.

      Example: unroll write letters-model
      """)

  @Argument(help: "The model folder.")
  var model: String

  @Option(name: .shortAndLong, help: "Symbols that are written at a time.")
  var length = 200

  @Option(help: "Go on with the text of a state file, which /save or --save-state wrote.")
  var loadState: String?

  @OptionGroup(title: "Choosing symbols") var sampling: SamplingOptions

  @Option(name: .shortAndLong, help: "Seed of the draws. The default is a new one each time, named on standard error.")
  var seed: UInt64?

  @OptionGroup(title: "Running") var compute: ComputeOptions

  func validate() throws {
    try requirePath(model, "The model folder")
    if let loadState { try requirePath(loadState, "--load-state") }
    do { try settings.validate() } catch let error as InvalidSampling { throw ValidationError("--\(error).") }
  }

  private var settings: GenerationSettings {
    get throws {
      var settings = GenerationSettings()
      settings.length = length
      settings.sampling = try sampling.settings
      return settings
    }
  }

  func run() throws {
    try reportingErrors {
      let kept = try KeptSession(ModelFolder(model), state: loadState, settings, seed: seed, compute)
      Interruption.install()
      var dialogue = WritingDialogue(kept)
      try dialogue.run()
    }
  }
}
