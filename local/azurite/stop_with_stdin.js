// Loaded before Azurite: stops it, its data saved, when standard input closes, as it does however the parent ends.
process.stdin.resume().on("end", () => process.emit("SIGTERM") || process.exit());
