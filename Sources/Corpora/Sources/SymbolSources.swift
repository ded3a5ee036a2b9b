/// The sources by name: `NAME` or `NAME:key=value,…`.
public enum SymbolSources {
  /// Every kind of source.
  public static let all: [any SymbolSource.Type] = [
    EmbeddedReber.self, ContinualReber.self, AddingProblem.self, CopyMemory.self, CountedPairs.self, LaggedXor.self,
    MarkovChain.self,
  ]

  /// Their names.
  public static var names: [String] { all.map { $0.name } }

  /// The source that a text names, for example `xor:lag=20,p=0.02`; what is not told has its standard value.
  ///
  /// - Throws: ``SourceError``: one line for a wrong parameter, ``list`` for a wrong name.
  public static func parse(_ text: String) throws -> any SymbolSource {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    guard let kind = all.first(where: { $0.name == name }) else {
      throw SourceError("there is no source '\(name)'. The sources, with their standard values:\n\(list)")
    }
    return try kind.init(
      SourceValues(parsing: parts.count > 1 ? parts[1] : nil, kind.parameters, source: kind.name))
  }

  /// A line for each source: its name with standard values, and what it is.
  public static var list: String {
    let names = all.map { kind in specification(kind.name, kind.parameters.map { ($0, $0.standard) }) }
    let width = names.reduce(0) { max($0, $1.count) } + 2
    return zip(names, all).map { name, kind in
      "  " + name + String(repeating: " ", count: width - name.count) + kind.summary
    }.joined(separator: "\n")
  }

  /// `NAME:key=value,…`.
  static func specification(_ name: String, _ values: [(parameter: SourceParameter, value: Double)]) -> String {
    guard !values.isEmpty else { return name }
    return name + ":" + values.map { "\($0.parameter.key)=\($0.parameter.text($0.value))" }.joined(separator: ",")
  }
}
