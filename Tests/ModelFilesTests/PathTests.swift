import ModelFiles
import TestSupport
import Testing

@Suite struct PathTests {
  @Test(arguments: [
    ("a", ".", "a"), ("a/b", "a", "b"), ("a/b/", "a", "b"), ("a//", ".", "a"), ("/a", "/", "a"),
    ("/a/b/c", "/a/b", "c"),
    ("/", "/", ""), ("./a", ".", "a"), ("é/ü", "é", "ü"),
    // A slash stays a slash where the name after it begins with a combining mark.
    ("a/\u{301}b", "a", "\u{301}b"),
  ])
  func splits(_ path: String, _ parent: String, _ name: String) {
    #expect(Paths.parent(path).scalarValues == parent.scalarValues)
    #expect(Paths.name(path).scalarValues == name.scalarValues)
  }

  @Test(arguments: [("a", "b", "a/b"), ("a/", "b", "a/b"), ("/", "b", "/b"), (".", "b", "./b")])
  func joins(_ folder: String, _ name: String, _ path: String) {
    #expect(Paths.join(folder, name) == path)
  }
}
