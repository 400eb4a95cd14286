package io.barnabas.log;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The form of Kafka's checkpoint files: version, number of entries, one entry a line, fields apart by white space. */
final class CheckpointText {
    private CheckpointText() {}

    static String encode(int version, Collection<String> lines) {
        StringBuilder text = new StringBuilder();
        text.append(version).append('\n').append(lines.size()).append('\n');
        lines.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    /** The entries' fields; nothing if the file is damaged. An empty file has no entries. */
    static Optional<List<String[]>> decode(byte[] bytes, int version, int fields) {
        if (bytes.length == 0) {
            return Optional.of(List.of());
        }
        String[] lines = new String(bytes, StandardCharsets.UTF_8).split("\n", -1);
        int count = lines.length < 3 ? -1 : number(lines[1]);
        if (count < 0 || number(lines[0]) != version || lines.length != count + 3 || !lines[count + 2].isEmpty()) {
            return Optional.empty();
        }
        List<String[]> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String[] entry = lines[i + 2].split("\\s+", -1);
            if (entry.length != fields) {
                return Optional.empty();
            }
            entries.add(entry);
        }
        return Optional.of(entries);
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text.trim());
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
