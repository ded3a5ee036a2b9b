import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Files as Unix has them: whole reads, durable writes.
public enum Files {
  /// What a path leads to.
  public enum Kind: Sendable { case nothing, file, folder, pipe, device, socket }

  /// What a path leads to, links followed.
  public static func kind(_ path: String) -> Kind {
    var information = stat()
    guard stat(path, &information) == 0 else { return .nothing }
    return kind(of: information)
  }

  static func kind(of information: stat) -> Kind {
    switch information.st_mode & S_IFMT {
    case S_IFDIR: .folder
    case S_IFIFO: .pipe
    case S_IFSOCK: .socket
    case S_IFCHR, S_IFBLK: .device
    default: .file
    }
  }

  /// The names in a folder, sorted; none where it cannot be read.
  public static func names(in folder: String) -> [String] { (try? readableNames(in: folder)) ?? [] }

  /// The names in a folder, sorted.
  ///
  /// - Throws: ``FileError`` where it cannot be read.
  public static func readableNames(in folder: String) throws -> [String] {
    guard let directory = opendir(folder) else {
      throw FileError(.missing, folder, "cannot be read: \(systemMessage())")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Whether a path itself is a link.
  public static func isLink(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
  }

  /// Bytes of a file, 0 of what is none.
  public static func size(_ path: String) -> Int {
    var information = stat()
    guard stat(path, &information) == 0, kind(of: information) == .file else { return 0 }
    return Int(information.st_size)
  }

  /// The machine's memory in bytes.
  public static var memory: Int {
    max(1 << 30, Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))))
  }

  /// A path without links and dots, where it leads to something; as it is elsewhere.
  public static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Whether a folder is where another file system begins.
  public static func isMountPoint(_ path: String) -> Bool {
    var (information, parent) = (stat(), stat())
    guard stat(path, &information) == 0, stat(Paths.join(path, ".."), &parent) == 0 else { return false }
    return information.st_dev != parent.st_dev || information.st_ino == parent.st_ino
  }

  // MARK: Reading

  /// A file's bytes; `-` reads standard input. Devices, sockets and folders are refused; pipes are read to their end.
  ///
  /// - Parameters:
  ///   - limit: More bytes than this are refused before they are read; a quarter of the machine's memory by default.
  ///   - allowsPipes: Whether a pipe may stand for a file.
  /// - Throws: ``FileError``.
  public static func read(_ path: String, limit: Int = memory / 4, allowsPipes: Bool = true) throws -> [UInt8] {
    try InputFile(path, allowsPipes: allowsPipes).readAll(limit: limit)
  }

  // MARK: Writing

  /// Creates a folder, and those above it, where missing.
  public static func makeFolder(_ path: String) throws {
    guard mkdir(path, 0o777) != 0 else { return }
    switch errno {
    case EEXIST where kind(path) == .folder: return
    case EEXIST: throw FileError(.cannotCreate, path, "exists and is not a folder; name another output")
    case ENOENT:
      let parent = Paths.parent(path)
      guard parent != path, kind(parent) == .nothing else {
        throw FileError(.cannotCreate, path, "cannot be created: \(systemMessage(ENOENT))")
      }
      try makeFolder(parent)
      try makeFolder(path)
    default: throw FileError(.cannotCreate, path, "cannot be created: \(systemMessage())")
    }
  }

  /// Writes a file so that a crash at any moment leaves the old content or the new, never a part: a new file beside it,
  /// flushed, renamed over it, and the folder flushed. A failed flush is reported, never tried again.
  public static func writeDurably(_ bytes: [UInt8], to path: String) throws {
    try writeDurably(to: path) { try $0(bytes[...]) }
  }

  /// The same for content that comes in pieces: `produce` hands each to the function it gets.
  public static func writeDurably(to path: String, _ produce: ((ArraySlice<UInt8>) throws -> Void) throws -> Void)
    throws
  {
    let file = try OutputFile(replacing: path)
    try produce { try file.append($0) }
    try file.commit()
  }

  static func writeAll(_ bytes: ArraySlice<UInt8>, _ descriptor: Int32, _ path: String) throws {
    try bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count {
        let count = retrying {
          Int(SystemCalls.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written))
        }
        guard count > 0 else { throw FileError(.inputOutput, path, "cannot be written: \(systemMessage())") }
        written += count
      }
    }
  }

  /// Makes the names in a folder durable.
  public static func flushFolder(_ path: String) throws {
    let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw FileError(.inputOutput, path, "cannot be opened: \(systemMessage())") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError(.inputOutput, path, "cannot be flushed: \(systemMessage())") }
  }

  /// Removes a file, or a folder with what is in it; what is not there is no error.
  public static func remove(_ path: String) throws {
    var information = stat()
    guard lstat(path, &information) == 0 else { return }
    if kind(of: information) == .folder {
      for name in names(in: path) { try remove(Paths.join(path, name)) }
      guard rmdir(path) == 0 else { throw FileError(.inputOutput, path, "cannot be removed: \(systemMessage())") }
    } else {
      guard unlink(path) == 0 else { throw FileError(.inputOutput, path, "cannot be removed: \(systemMessage())") }
    }
  }

  /// Renames; an existing file at the new path is replaced.
  public static func move(_ from: String, to path: String) throws {
    guard rename(from, path) == 0 else {
      throw FileError(.inputOutput, from, "cannot be renamed to \(path): \(systemMessage())")
    }
  }

  /// Makes a path another name of a file, or of a copy of it where the file system has no such names. What is at the path
  /// is replaced.
  public static func link(_ file: String, as path: String) throws {
    let temporary = "\(path).\(getpid()).tmp"
    try remove(temporary)
    if makeHardLink(file, temporary) != 0 {
      try writeDurably(read(file, limit: .max, allowsPipes: false), to: temporary)
    }
    try move(temporary, to: path)
    try remove(temporary)  // it stays where both names are the file's already
  }

  /// Exchanges two folders in one step where the system can; elsewhere in three renames.
  public static func exchange(_ first: String, _ second: String) throws {
    if unroll_exchange(first, second) == 0 { return }
    let code = errno
    guard [ENOSYS, EINVAL, ENOTSUP].contains(code) else {
      throw FileError(.inputOutput, first, "cannot be exchanged with \(second): \(systemMessage(code))")
    }
    try exchangeByRenaming(first, second)
  }

  /// A failure leaves both where they were.
  package static func exchangeByRenaming(_ first: String, _ second: String) throws {
    let aside = "\(Paths.trimming(first)).\(getpid()).old"
    try move(first, to: aside)
    do { try move(second, to: first) } catch {
      try move(aside, to: first)
      throw error
    }
    try move(aside, to: second)
  }
}

private func makeHardLink(_ file: String, _ path: String) -> Int32 { link(file, path) }

/// System calls whose names collide with those of methods here.
enum SystemCalls {
  static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, buffer, count)
    #elseif canImport(Musl)
      Musl.read(descriptor, buffer, count)
    #else
      Darwin.read(descriptor, buffer, count)
    #endif
  }

  static func write(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, buffer, count)
    #elseif canImport(Musl)
      Musl.write(descriptor, buffer, count)
    #else
      Darwin.write(descriptor, buffer, count)
    #endif
  }
}

/// Paths as text. Scalars, not characters, are looked at: a slash is one before a combining mark too.
public enum Paths {
  /// What people call an input: its path, or standard input for `-`.
  public static func title(_ path: String) -> String { path == "-" ? "standard input" : path }

  public static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty || folder.unicodeScalars.last == "/" ? folder + name : folder + "/" + name
  }

  /// The folder that a path is in.
  public static func parent(_ path: String) -> String {
    let trimmed = trimming(path).unicodeScalars
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// The last part of a path.
  public static func name(_ path: String) -> String {
    let trimmed = trimming(path).unicodeScalars
    return String(trimmed.lastIndex(of: "/").map { trimmed[trimmed.index(after: $0)...] } ?? trimmed[...])
  }

  /// A path without slashes at its end.
  public static func trimming(_ path: String) -> String {
    var scalars = path.unicodeScalars[...]
    while scalars.last == "/" && scalars.dropFirst().first != nil { scalars.removeLast() }
    return String(scalars)
  }
}
