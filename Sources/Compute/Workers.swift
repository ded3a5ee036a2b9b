import CKernels
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Threads that do the same work side by side: on lane groups of their own, or each a ``Share`` of one window.
///
/// The threads live as long as this object and wait awake for a moment between two pieces of work, so that a meeting
/// costs less than a microsecond. Which thread does what never changes a result. One piece of work at a time: an
/// instance must not be used by two threads at once, nor by its own work.
public final class Workers: Sendable {
  /// The largest number of threads at work.
  public let threads: Int
  private let team: Team

  /// - Parameter threads: At least 1.
  public init(threads: Int) {
    precondition(threads >= 1, "workers need at least one thread, not \(threads)")
    self.threads = threads
    team = Team(members: threads)
  }

  deinit { team.dissolve() }

  /// The parts of work that ``together(_:)`` hands out.
  public var shares: [Share] {
    threads == 1 ? [.whole] : (0..<threads).map { Share(index: $0, count: threads, team: team) }
  }

  /// Calls `work` once for each of 0 ..< count and returns when all are done.
  public func run(_ count: Int, _ work: @Sendable (Int) -> Void) {
    guard threads > 1, count > 1 else {
      for index in 0..<count { work(index) }
      return
    }
    together { share in
      for index in stride(from: share.index, to: count, by: share.count) { work(index) }
    }
  }

  /// Calls `work` for pieces of `elements` that together are all of them, such as parts of a long vector.
  public func forEachPiece(of elements: Range<Int>, _ work: @Sendable (Range<Int>) -> Void) {
    let pieces = Self.pieces(of: elements)
    run(pieces.count) { work(pieces[$0]) }
  }

  /// Elements in pieces that are worth a thread's while; they do not depend on the number of threads.
  public static func pieces(of elements: Range<Int>) -> [Range<Int>] {
    stride(from: elements.lowerBound, to: elements.upperBound, by: pieceSize).map {
      $0..<min($0 + pieceSize, elements.upperBound)
    }
  }

  private static var pieceSize: Int { 1 << 15 }

  /// Calls `work` on every thread with its share and returns when all are done.
  public func together(_ work: @Sendable (Share) -> Void) {
    guard threads > 1 else { return work(.whole) }
    // Whose last work this is must not be gone before it is done: its end dissolves the team.
    withExtendedLifetime(self) {
      withoutActuallyEscaping(work) { work in withUnsafePointer(to: work) { team.perform($0) } }
    }
  }
}

/// One thread's part of work that several threads do together.
public struct Share: Sendable {
  /// Which of ``count`` threads this is, from 0 on.
  public let index: Int
  /// Threads at work.
  public let count: Int
  fileprivate let team: Team?

  /// All of the work, on the one thread that does it.
  public static let whole = Share(index: 0, count: 1, team: nil)

  /// Units are cut in blocks of this size, which every kernel can compute by itself.
  private static var block: Int { 64 }

  /// This thread's part of `count` units (hidden units, symbols).
  public func units(of count: Int) -> Range<Int> {
    let blocks = (count + Self.block - 1) / Self.block
    func border(_ index: Int) -> Int { min(count, blocks * index / self.count * Self.block) }
    return border(index)..<border(index + 1)
  }

  /// The same, or nil, which means all, for who works alone.
  public func part(of count: Int) -> Range<Int>? { self.count == 1 ? nil : units(of: count) }

  /// This thread's part of `count` rows, which may be cut anywhere.
  public func rows(of count: Int) -> Range<Int> { count * index / self.count..<count * (index + 1) / self.count }

  /// Waits until every thread has come here: what they wrote before can be read after.
  public func meet() { team?.meet() }
}

/// The threads of ``Workers``: the one that asks for work, and members − 1 that wait for it.
private final class Team: @unchecked Sendable {  // `work` is written between two pieces of work only
  typealias Work = @Sendable (Share) -> Void

  private let members: Int
  /// A pointer, not a reference: nobody holds on to work that has ended.
  private var work: UnsafePointer<Work>?
  private var hasStarted = false
  /// Counts pieces of work; −1 where the team has been dissolved.
  private let piece = Atomic<Int>(0)
  /// Counts members that ended a piece, and arrivals at meetings: both ever upwards.
  private let ended = Atomic<Int>(0)
  private let arrived = Atomic<Int>(0)
  private let beds: [Bed]

  /// Where a member sleeps after it has waited in vain for a moment.
  private final class Bed: Sendable {
    let isTaken = Atomic<Bool>(false)
    let alarm = DispatchSemaphore(value: 0)
  }

  init(members: Int) {
    self.members = members
    beds = (1..<max(members, 2)).map { _ in Bed() }
  }

  func perform(_ work: UnsafePointer<Work>) {
    if !hasStarted { start() }
    self.work = work
    let number = piece.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    wakeAll()
    work.pointee(Share(index: 0, count: members, team: self))
    wait { ended.load(ordering: .acquiring) == number * (members - 1) }
    self.work = nil
  }

  func dissolve() {
    piece.store(-1, ordering: .sequentiallyConsistent)
    wakeAll()
  }

  func meet() {
    let ticket = arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
    let complete = (ticket / members + 1) * members
    wait { arrived.load(ordering: .acquiring) >= complete }
  }

  private func start() {
    hasStarted = true
    for index in 1..<members { startThread { self.live(index) } }
  }

  private func live(_ index: Int) {
    var seen = 0
    while true {
      let number = nextPiece(after: seen, beds[index - 1])
      guard number > 0 else { return }
      doShare(index)
      seen = number
      ended.wrappingAdd(1, ordering: .releasing)
    }
  }

  @inline(never)
  private func doShare(_ index: Int) {
    work?.pointee(Share(index: index, count: members, team: self))
  }

  /// Waits awake for a moment, then asleep. Whoever is woken late, for a piece that it has done already, lies down again.
  private func nextPiece(after seen: Int, _ bed: Bed) -> Int {
    while true {
      for _ in 0..<10_000 {
        let number = piece.load(ordering: .acquiring)
        if number != seen { return number }
        ckernels_pause()
      }
      bed.isTaken.store(true, ordering: .sequentiallyConsistent)
      if piece.load(ordering: .sequentiallyConsistent) == seen || !leave(bed) { bed.alarm.wait() }
    }
  }

  /// Whether the bed was still taken: otherwise whoever emptied it rings the alarm.
  private func leave(_ bed: Bed) -> Bool { bed.isTaken.exchange(false, ordering: .sequentiallyConsistent) }

  private func wakeAll() {
    for bed in beds where leave(bed) { bed.alarm.signal() }
  }

  /// Waits awake; on a machine with more threads than processors the others get their turn.
  private func wait(until isDone: () -> Bool) {
    var turns = 0
    while !isDone() {
      turns += 1
      if turns % 1_000 == 0 { sched_yield() } else { ckernels_pause() }
    }
  }
}

/// A thread of its own: those of a pool would not all be there when there are many.
private func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Life: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let life = Unmanaged.passRetained(Life(body)).toOpaque()
  #if canImport(Darwin)
    var thread: pthread_t?
    let status = pthread_create(
      &thread, nil,
      { life in
        Unmanaged<Life>.fromOpaque(life).takeRetainedValue().body()
        return nil
      }, life)
    if let thread { pthread_detach(thread) }
  #else
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { life in
        if let life { Unmanaged<Life>.fromOpaque(life).takeRetainedValue().body() }
        return nil
      }, life)
    if status == 0 { pthread_detach(thread) }
  #endif
  precondition(status == 0, "the system gave no thread (error \(status)); use fewer threads")
}
