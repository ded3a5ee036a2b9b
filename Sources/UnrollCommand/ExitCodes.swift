import ArgumentParser
import Corpora
import Evaluation
import LanguageModeling
import ModelFiles
import Sampling
import Tokenization
import Training
import UnicodeText

/// The exit codes of sysexits.h that the command uses.
enum ExitStatus: Int32 {
  case usage = 64
  case badData = 65
  case noInput = 66
  case cannotCreate = 73
  case inputOutput = 74
}

/// Runs a command's work; an error of the libraries becomes one line on standard error and its exit code.
func reportingErrors(_ work: () throws -> Void) throws {
  do { try work() } catch {
    guard let status = exitStatus(of: error) else { throw error }
    Terminal.complain("Error: \(error)")
    throw ExitCode(status.rawValue)
  }
}

/// The exit code of an error, or none where it is ArgumentParser's own.
private func exitStatus(of error: any Error) -> ExitStatus? {
  switch error {
  case let file as FileError:
    switch file.kind {
    case .missing: .noInput
    case .invalid: .badData
    case .cannotCreate: .cannotCreate
    case .inputOutput: .inputOutput
    }
  case is ConfigurationError, is InvalidSampling, is InvalidAdaptation: .usage
  case is UnknownSymbolsError, is CorpusTooShort, is TooLittleText, is TrainingError, is InvalidUTF8,
    is PredictionsNotFinite, is TextTooShort, is GradientsNotFinite,
    is TokenizerJSONError, is VocabularyError, is InText:
    .badData
  default: nil
  }
}

/// An error with the name of the text that it is about.
struct InText: Error, CustomStringConvertible {
  let name: String
  let error: any Error

  var description: String { "\(name): \(error)" }

  /// Adds a text's name to the errors that do not carry one.
  static func named<Result>(_ name: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error
      where error is UnknownSymbolsError || error is TooLittleText || error is TextTooShort
      || error is GradientsNotFinite
    {
      throw InText(name: Paths.title(name), error: error)
    }
  }
}
