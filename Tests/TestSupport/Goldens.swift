import Compute
import Foundation
import LanguageModeling
import ModelFiles
import Recurrence
import Tokenization

/// Numbers from PyTorch in float64, read from Tests/Goldens.
public struct Golden {
  public let file: Safetensors

  public init(_ name: String) throws {
    file = try Safetensors(parsing: Files.read(Self.path(name)))
  }

  public static func path(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Goldens/\(name)")
      .path
  }

  public subscript(name: String) -> StoredTensor {
    guard let tensor = file[name] else { preconditionFailure("the golden has no \(name)") }
    return tensor
  }

  public func number(_ key: String) -> Double {
    guard let number = file.metadata[key].flatMap(Double.init) else { preconditionFailure("the golden has no \(key)") }
    return number
  }

  public func integers(_ name: String) -> [Int32] { self[name].doubles.map { Int32($0) } }

  /// The golden's model.
  public var configuration: ModelConfiguration {
    get throws {
      try ModelConfiguration(
        cell: file.metadata["cell"].flatMap(RecurrentCell.init) ?? .lstm,
        nonlinearity: file.metadata["nonlinearity"].flatMap(Nonlinearity.init) ?? .tanh,
        vocabularySize: Int(number("vocabulary_size")), embeddingSize: Int(number("embedding_size")),
        hiddenSize: Int(number("hidden_size")), layers: Int(number("layers")))
    }
  }

  /// The parameters under a prefix, such as `parameters`.
  public func parameters<Real: KernelReal>(_ prefix: String, _ layout: ParameterLayout) -> ParameterSet<Real> {
    var set = ParameterSet<Real>(layout)
    for slot in layout.slots {
      set.writable(slot).copy(from: self["\(prefix).\(layout[slot].name)"].doubles.map { Real($0) })
    }
    return set
  }
}

/// The largest absolute difference of two lists of the same length.
public func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "\(a.count) numbers compared with \(b.count)")
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
