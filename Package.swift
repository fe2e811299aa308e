// swift-tools-version: 6.2
// Targets stand in layer order, lowest first: each depends only on targets above it.
import PackageDescription

let swift: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
]

/// A module of ours, in `Sources/NAME`.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swift)
}

/// A command: one short file in `Sources/NAME`.
func command(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: swift)
}

/// What the main file of a command imports.
let cli: [Target.Dependency] = [
  "CommandSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
]

/// The tests of a module, in `Tests/NAME`.
func tests(_ name: String, _ dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
  .testTarget(name: name, dependencies: ["TestSupport"] + dependencies, exclude: data, swiftSettings: swift)
}

/// For tests that run the commands.
let commands: [Target.Dependency] = [
  "seq-ingest", "seq-filter", "seq-enrich", "seq-assemble", "seq-index", "seq-store", "seq-config", "seq-serve",
]

/// A library of Debian's, imported through a module map.
func system(_ name: String, apt package: String) -> Target {
  .systemLibrary(name: name, providers: [.apt([package])])
}

let package = Package(
  name: "seqline",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
  ],
  targets: [
    system("CMalloc", apt: "libc6-dev"),
    system("CZstd", apt: "libzstd-dev"),
    system("CZlib", apt: "zlib1g-dev"),
    system("CLZ4", apt: "liblz4-dev"),
    system("CSnappy", apt: "libsnappy-dev"),
    system("CLibMD", apt: "libmd-dev"),
    system("CRdKafka", apt: "librdkafka-dev"),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
    .target(name: "CBitPacking"),
    .target(name: "CProcessor"),
    .target(name: "CScheduler"),

    module("JSONText"),
    module("Buffers", ["CMalloc", "CProcessor"]),
    module("Arrow", ["Buffers"]),
    module("ArrowKernels", ["Arrow"]),

    module("Frames", ["Arrow", "JSONText", "CZstd", "CZlib", "CLZ4"]),
    module("JSONColumns", ["ArrowKernels", "CSimdJSON"]),
    module("Parquet", ["ArrowKernels", "CBitPacking", "CProcessor", "CZstd", "CZlib", "CLZ4", "CSnappy"]),
    module("Expressions", ["ArrowKernels", "CRE2"]),

    module("DeltaLog", ["Parquet", "JSONText"]),
    module("Definitions", ["Expressions", "JSONText"]),
    module("Engine", ["CScheduler", "Definitions", "Frames", "JSONColumns", "Parquet", "DeltaLog"]),
    module("KafkaConnector", ["Engine", "CRdKafka"]),
    module("SequenceStore", ["Engine"]),
    module(
      "Serving",
      [
        "SequenceStore", "CZstd", "CZlib", "CLibMD",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    module(
      "CommandSupport", ["Engine", "CMalloc", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

    command("seq-ingest", cli + ["SequenceStore", "KafkaConnector"]),
    command("seq-filter", cli),
    command("seq-enrich", cli),
    command("seq-assemble", cli + ["SequenceStore"]),
    command("seq-index", cli + ["SequenceStore"]),
    command("seq-store", cli + ["SequenceStore"]),
    command("seq-serve", cli + ["SequenceStore", "Serving"]),
    command(
      "seq-config",
      ["CommandSupport", "Definitions", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

    module("TestSupport", ["Arrow", "JSONText"]),
    tests("JSONTextTests", ["JSONText"]),
    tests("BuffersTests", ["Buffers"]),
    tests("ArrowTests", ["Arrow"]),
    tests("ArrowKernelsTests", ["ArrowKernels"]),
    tests("FramesTests", ["Frames"]),
    tests("JSONColumnsTests", ["JSONColumns"]),
    tests("ParquetTests", ["Parquet"]),
    tests("ExpressionsTests", ["Expressions"]),
    tests("DeltaLogTests", ["DeltaLog"]),
    tests("DefinitionsTests", ["Definitions"]),
    tests("EngineTests", ["Engine"]),
    tests(
      "KafkaConnectorTests", ["KafkaConnector", "seq-ingest", "seq-filter", "seq-index", "seq-store", "seq-config"],
      data: ["fixtures"]),
    tests("SequenceStoreTests", ["SequenceStore"]),
    tests("ConvergenceTests", ["SequenceStore", "seq-ingest", "seq-filter", "seq-index", "seq-store", "seq-config"]),
    tests("ServingTests", ["Serving"] + commands, data: ["browser"]),
    tests(
      "CommandSupportTests", ["CommandSupport", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    tests("CommandTests", ["JSONText"], data: ["cases", "fixtures"]),
    tests("InteropTests", ["Serving"] + commands, data: ["peers"]),
  ],
  cxxLanguageStandard: .cxx17
)
