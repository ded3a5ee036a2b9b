import Compute
import Synchronization
import Testing

@Suite struct WorkersTests {
  @Test(arguments: [(0, 1), (1, 1), (1, 4), (7, 2), (7, 3), (16, 16), (5, 64)])
  func takeEachIndexOnce(_ count: Int, _ threads: Int) {
    let seen = Mutex<[Int]>([])
    let workers = Workers(threads: threads)
    for _ in 0..<3 {
      workers.run(count) { index in seen.withLock { $0.append(index) } }
      #expect(seen.withLock { $0.sorted() } == Array(0..<count))
      seen.withLock { $0 = [] }
    }
  }

  /// What was written before a meeting is seen after it.
  @Test(arguments: [1, 2, 3, 5])
  func meet(_ threads: Int) {
    let places = Rows<Int32>(threads, 16)
    let wrong = Atomic<Int>(0)
    Workers(threads: threads).together { share in
      for round in 1...200 {
        places[share.index, 0] = Int32(round)
        share.meet()
        for other in 0..<share.count where places[other, 0] != Int32(round) {
          wrong.wrappingAdd(1, ordering: .relaxed)
        }
        share.meet()
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  /// Threads that fell asleep between two pieces of work are woken.
  @Test func wakeUp() async throws {
    let count = Atomic<Int>(0)
    let workers = Workers(threads: 3)
    for _ in 0..<20 {
      workers.together { _ in count.wrappingAdd(1, ordering: .relaxed) }
      try await Task.sleep(for: .milliseconds(3))
    }
    #expect(count.load(ordering: .relaxed) == 60)
  }

  /// Workers whose last work is at hand live until it is done.
  @Test func lastWorkIsDone() {
    let count = Atomic<Int>(0)
    for _ in 0..<200 {
      Workers(threads: 4).together { _ in count.wrappingAdd(1, ordering: .relaxed) }
    }
    #expect(count.load(ordering: .relaxed) == 800)
  }

  @Test(arguments: [(0, 2), (1, 2), (63, 3), (64, 2), (65, 2), (512, 2), (512, 3), (131, 8)])
  func sharesCoverEverythingOnce(_ count: Int, _ threads: Int) {
    let shares = Workers(threads: threads).shares
    #expect(shares.flatMap { $0.units(of: count) } == Array(0..<count))
    #expect(shares.flatMap { $0.rows(of: count) } == Array(0..<count))
    #expect(shares.allSatisfy { $0.units(of: count).isEmpty || $0.units(of: count).lowerBound % 64 == 0 })
  }

  /// Pieces cover everything once, in order, and do not depend on the threads.
  @Test(arguments: [0..<0, 0..<1, 5..<70_000, 0..<(1 << 16)])
  func pieces(_ elements: Range<Int>) {
    let pieces = Workers.pieces(of: elements)
    #expect(pieces.flatMap { Array($0) } == Array(elements) && pieces.allSatisfy { !$0.isEmpty })
    #expect(elements.count <= 1 << 15 || pieces.count > 1)
    for threads in [1, 3] {
      let seen = Mutex<[Range<Int>]>([])
      Workers(threads: threads).forEachPiece(of: elements) { piece in seen.withLock { $0.append(piece) } }
      #expect(seen.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound } == pieces)
    }
  }
}
