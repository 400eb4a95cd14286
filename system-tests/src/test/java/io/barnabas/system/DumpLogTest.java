package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's own dump tool reads every file of a data directory clean: segments, indexes, time indexes, producer snapshots, offsets. */
class DumpLogTest {
    private static final Pattern COMPLAINT = Pattern.compile(
            "isvalid: false|mismatch|Mismatches in|Non-consecutive|out of order|not found in|Exception|Could not|corrupt index",
            Pattern.CASE_INSENSITIVE);

    /** The tool expects every segment to begin at 0; one that begins at the offset in its name is as it should be. */
    private static final Pattern BEGINS_AS_NAMED =
            Pattern.compile("Non-consecutive offsets in \\S*?/0*(\\d+)\\.log\\R  -1 is followed by \\1\\R");

    @Test
    void kafka_dump_log_reads_every_file_clean(@TempDir Path dir) throws Exception {
        Path logs = dir.resolve("logs");
        Map<String, String> settings =
                Map.of("log.dirs", logs.toString(), "log.segment.bytes", "1048576", "log.index.interval.bytes", "512");
        try (BarnabasProcess broker = BarnabasProcess.start(dir.resolve("data"), settings)) {
            // Given records of every codec, committed offsets, and enough of them for several segments
            JavaClientRoundTrip.run(broker.bootstrap(), "dumped");
            try (AcknowledgedLoad load = new AcknowledgedLoad(broker.bootstrap(), "dumped-too", 1)) {
                load.awaitMore(100_000);
                load.stop();
            }
            // Then the files of a running broker are clean
            assertClean(logs);
            // And those of a stopped one
            broker.stop();
        }
        assertThat(assertClean(logs)).as("files dumped").isGreaterThan(10);
    }

    private static int assertClean(Path logs) throws Exception {
        List<Path> files;
        try (Stream<Path> tree = Files.walk(logs)) {
            files = tree.filter(file -> file.toString().matches(".*\\d{20}\\.(log|index|timeindex|snapshot)"))
                    .filter(file -> file.toFile().length() > 0)
                    .sorted()
                    .toList();
        }
        Map<Boolean, List<Path>> byKind = files.stream()
                .collect(Collectors.partitioningBy(file -> file.toString().contains("__consumer_offsets")));
        assertThat(byKind.get(true)).as("files of __consumer_offsets").isNotEmpty();
        dump(byKind.get(true), "--offsets-decoder");
        dump(byKind.get(false), "--deep-iteration");
        return files.size();
    }

    private static void dump(List<Path> files, String option) throws Exception {
        String printed = ForeignClientsTest.run(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("kafka.tools") + "/*",
                "org.apache.kafka.tools.DumpLogSegments",
                option,
                "--files",
                files.stream().map(Path::toString).collect(Collectors.joining(",")));
        List<String> complaints = BEGINS_AS_NAMED
                .matcher(printed)
                .replaceAll("")
                .lines()
                .filter(line -> COMPLAINT.matcher(line).find())
                .limit(10)
                .toList();
        assertThat(complaints).as("what the dump complains of").isEmpty();
        files.forEach(file -> assertThat(printed).contains("Dumping " + file));
    }
}
