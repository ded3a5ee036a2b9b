/// Memory for `count` elements, aligned for the widest vectors, zero at first.
///
/// The only owner of raw memory in the package: everything else sees ``Rows``.
public final class Storage<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // Sendable by the rule of the house: a lane group's storage is touched by the one thread that took the group, and
  // what groups share is written only between two meetings of the threads.
  let base: UnsafeMutablePointer<Element>
  /// Elements.
  public let count: Int

  /// Memory for `count` zeros.
  public init(count: Int) {
    precondition(count >= 0, "a storage needs a count of 0 or more, not \(count)")
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    precondition(!overflow, "a storage of \(count) elements overflows the address space")
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    self.base = memory.bindMemory(to: Element.self, capacity: max(count, 1))
    self.count = count
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }
}

/// A dense row-major matrix `[rows, columns]`, seen in a storage that it keeps alive.
///
/// A view: copying it copies no elements, and writing through one view is seen by every other on the same storage.
public struct Rows<Element: BitwiseCopyable & Sendable>: Sendable {
  let storage: Storage<Element>
  let offset: Int
  /// The first size.
  public let rows: Int
  /// The second size: elements of a row, which lie side by side.
  public let columns: Int

  /// Elements of the matrix.
  public var count: Int { rows * columns }
  /// Bytes of the elements.
  public var byteCount: Int { count * MemoryLayout<Element>.stride }
  var pointer: UnsafeMutablePointer<Element> { storage.base + offset }

  /// A new matrix of zeros.
  public init(_ rows: Int, _ columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix needs sizes of 0 or more, not [\(rows), \(columns)]")
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    precondition(!overflow, "a matrix [\(rows), \(columns)] overflows")
    self.init(storage: Storage(count: count), offset: 0, rows: rows, columns: columns)
  }

  /// A matrix that holds `elements`, row after row.
  public init(_ rows: Int, _ columns: Int, _ elements: [Element]) {
    self.init(rows, columns)
    copy(from: elements)
  }

  init(storage: Storage<Element>, offset: Int, rows: Int, columns: Int) {
    precondition(
      offset >= 0 && offset + rows * columns <= storage.count,
      "a view [\(rows), \(columns)] at \(offset) reaches beyond its storage of \(storage.count)")
    self.storage = storage
    self.offset = offset
    self.rows = rows
    self.columns = columns
  }

  /// The rows of `range`, as a view.
  public subscript(range: Range<Int>) -> Rows {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) asked of a matrix with \(rows) rows")
    return Rows(storage: storage, offset: offset + range.lowerBound * columns, rows: range.count, columns: columns)
  }

  /// Some elements, counted row after row, as a view `[1, n]`.
  public func piece(_ range: Range<Int>) -> Rows {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) asked of a matrix of \(count)")
    return Rows(storage: storage, offset: offset + range.lowerBound, rows: 1, columns: range.count)
  }

  /// One element; for loops that are not hot.
  public subscript(row: Int, column: Int) -> Element {
    get {
      precondition(contains(row, column), "element [\(row), \(column)] asked of a matrix [\(rows), \(columns)]")
      return pointer[row * columns + column]
    }
    nonmutating set {
      precondition(contains(row, column), "element [\(row), \(column)] set in a matrix [\(rows), \(columns)]")
      pointer[row * columns + column] = newValue
    }
  }

  private func contains(_ row: Int, _ column: Int) -> Bool {
    row >= 0 && row < rows && column >= 0 && column < columns
  }

  /// The elements, row after row.
  public var elements: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// Sets every element to zero.
  public func clear() {
    UnsafeMutableRawPointer(pointer).initializeMemory(
      as: UInt8.self, repeating: 0, count: count * MemoryLayout<Element>.stride)
  }

  /// Overwrites with another matrix of the same number of elements.
  public func copy(from other: Rows) {
    precondition(other.count == count, "\(other.count) elements copied into a matrix of \(count)")
    pointer.update(from: other.pointer, count: count)
  }

  /// Overwrites some columns with those of another matrix of the same sizes.
  public func copy(from other: Rows, columns range: Range<Int>) {
    precondition(
      other.rows == rows && other.columns == columns && range.lowerBound >= 0 && range.upperBound <= columns,
      "columns \(range) of [\(other.rows), \(other.columns)] copied into [\(rows), \(columns)]")
    guard range.count < columns else { return copy(from: other) }
    for start in stride(from: range.lowerBound, to: count, by: columns) {
      (pointer + start).update(from: other.pointer + start, count: range.count)
    }
  }

  /// Overwrites with `elements`, row after row.
  public func copy(from elements: [Element]) {
    precondition(elements.count == count, "\(elements.count) elements copied into a matrix of \(count)")
    elements.withUnsafeBufferPointer { source in
      if let first = source.baseAddress { pointer.update(from: first, count: count) }
    }
  }
}

extension Rows {
  /// The elements' bytes, row after row, as this processor has them.
  public var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: pointer, count: byteCount)) }

  /// Overwrites with such bytes.
  public func copy(bytes: [UInt8]) {
    precondition(bytes.count == byteCount, "\(bytes.count) bytes copied into a matrix of \(byteCount)")
    bytes.withUnsafeBytes { source in
      if let first = source.baseAddress {
        UnsafeMutableRawPointer(pointer).copyMemory(from: first, byteCount: byteCount)
      }
    }
  }
}

extension Rows where Element == Double {
  /// Σ of the elements, in their order.
  public var sum: Double {
    var sum = 0.0
    for place in 0..<count { sum += pointer[place] }
    return sum
  }
}
