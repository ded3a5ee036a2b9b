import Foundation

/// What a program said and how it ended.
public struct ProgramResult {
  public let status: Int32
  public let output: [UInt8]
  public let error: String
  public var text: String { String(decoding: output, as: UTF8.self) }
}

/// The `unroll` that was built with these tests.
public let unrollPath = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "unroll")
  .path

/// The root of the package.
public let packagePath = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// Runs a program to its end.
///
/// - Parameter whileRunning: Called once with the running process.
public func run(
  _ program: String, _ arguments: [String], input: [UInt8] = [], folder: String? = nil,
  environment: [String: String] = [:], whileRunning: (Process) throws -> Void = { _ in }
) throws -> ProgramResult {
  let process = Process()
  process.executableURL = URL(filePath: program)
  process.arguments = arguments
  if let folder { process.currentDirectoryURL = URL(filePath: folder) }
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  // Files, not pipes: nothing blocks, whatever the size.
  let scratch = FileManager.default.temporaryDirectory.appending(path: "unroll-run-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: scratch) }
  func handle(_ name: String, _ content: [UInt8]) throws -> FileHandle {
    let url = scratch.appending(path: name)
    try Data(content).write(to: url)
    return try FileHandle(forUpdating: url)
  }
  let (input, output, error) = (try handle("in", input), try handle("out", []), try handle("err", []))
  process.standardInput = input
  process.standardOutput = output
  process.standardError = error
  try process.run()
  try whileRunning(process)
  process.waitUntilExit()
  func content(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: scratch.appending(path: name))) }
  let status =
    process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
  return ProgramResult(
    status: status, output: try content("out"), error: String(decoding: try content("err"), as: UTF8.self))
}

/// Runs `unroll`.
public func unroll(
  _ arguments: String..., input: [UInt8] = [], whileRunning: (Process) throws -> Void = { _ in }
) throws -> ProgramResult {
  try run(unrollPath, arguments, input: input, whileRunning: whileRunning)
}
