package io.barnabas.metadata;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.ApiException;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.jspecify.annotations.Nullable;

/**
 * The metadata that a stopped node's journal leads to, read without Ratis, which would want to agree with others: the newest snapshot and
 * every whole entry after it, committed or not. An entry that was not committed may be that of a change whose outcome nobody was told; one
 * that was is not missed. Reads only. For {@link ForcedRecovery}, on its thread.
 *
 * <p>Layout: {@code sm/snapshot.TERM_INDEX}; {@code current/log_FIRST-LAST} and {@code current/log_inprogress_FIRST}, whose entries
 * {@link JournalTail} describes; {@code current/raft-meta} with the term, {@code current/raft-meta.conf} with the members.
 */
final class StoredJournal {
    private static final Pattern SEGMENT = Pattern.compile("log_(?:inprogress_)?(\\d+)(?:-\\d+)?");

    private final Path group;
    private final ReplayedMetadata metadata;
    private List<RaftPeerId> voters = List.of();
    private long term;
    private long index = -1;
    private @Nullable Path damaged;

    private StoredJournal(Path group, String clusterId) {
        this.group = group;
        this.metadata = new ReplayedMetadata(clusterId, cause -> {});
    }

    /**
     * Reads all there is.
     *
     * @param group the folder of one Raft group
     * @throws IOException if there is no journal, entries are missing in its middle, or something cannot be read
     */
    static StoredJournal read(Path group, String clusterId) throws IOException {
        StoredJournal journal = new StoredJournal(group, clusterId);
        try {
            journal.read();
        } catch (ApiException e) {
            throw new IOException("The metadata journal in " + group + " cannot be read: " + e.getMessage(), e);
        }
        return journal;
    }

    private void read() throws IOException {
        Path current = group.resolve("current");
        Properties meta = new Properties();
        try (InputStream in = Files.newInputStream(current.resolve("raft-meta"))) {
            meta.load(in);
        }
        term = Long.parseLong(meta.getProperty("term", "0"));
        Path members = current.resolve("raft-meta.conf");
        if (Files.exists(members)) {
            onMembers(LogEntryProto.parseFrom(Files.readAllBytes(members)));
        }
        readSnapshot();
        for (Path segment : sorted(current, SEGMENT)) {
            readSegment(segment);
        }
    }

    private void readSnapshot() throws IOException {
        List<Path> snapshots = sorted(group.resolve("sm"), SimpleStateMachineStorage.SNAPSHOT_REGEX);
        if (!snapshots.isEmpty()) {
            Path newest = snapshots.get(snapshots.size() - 1);
            index = number(newest, SimpleStateMachineStorage.SNAPSHOT_REGEX);
            try (InputStream in = new BufferedInputStream(Files.newInputStream(newest))) {
                metadata.restore(index, in);
            }
        }
    }

    private void readSegment(Path segment) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(segment));
        bytes.position(Math.min(JournalTail.HEADER_BYTES, bytes.limit()));
        int start = bytes.position();
        ByteBuffer entry = JournalTail.nextEntry(bytes);
        while (entry != null) {
            onEntry(LogEntryProto.parseFrom(entry));
            start = bytes.position();
            entry = JournalTail.nextEntry(bytes);
        }
        if (!JournalTail.isZeroFrom(bytes, start)) {
            damaged = segment;
        }
    }

    private void onEntry(LogEntryProto entry) throws IOException {
        if (entry.getIndex() <= index) {
            return; // in the snapshot
        }
        if (entry.getIndex() != index + 1) {
            throw new IOException("The metadata journal in " + group + " has no entry " + (index + 1) + ", but "
                    + entry.getIndex() + (damaged == null ? "" : ": " + damaged + " is damaged"));
        }
        if (entry.hasConfigurationEntry()) {
            onMembers(entry);
        } else if (entry.hasStateMachineLogEntry()) {
            metadata.apply(
                    entry.getIndex(),
                    entry.getStateMachineLogEntry().getLogData().toByteArray());
        }
        index = entry.getIndex();
        term = Math.max(term, entry.getTerm());
    }

    private void onMembers(LogEntryProto entry) {
        voters = entry.getConfigurationEntry().getPeersList().stream()
                .map(peer -> RaftPeerId.valueOf(peer.getId()))
                .toList();
    }

    /** The files of a folder whose names have the pattern, by the last number in it. */
    private static List<Path> sorted(Path folder, Pattern pattern) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(f -> pattern.matcher(f.getFileName().toString()).matches())
                    .forEach(found::add);
        }
        found.sort(Comparator.comparingLong(f -> number(f, pattern)));
        return found;
    }

    private static long number(Path file, Pattern pattern) {
        Matcher matcher = pattern.matcher(file.getFileName().toString());
        return matcher.matches() ? Long.parseLong(matcher.group(matcher.groupCount())) : -1;
    }

    ReplayedMetadata metadata() {
        return metadata;
    }

    /** Members with a vote, by the last that this node heard of them. */
    List<RaftPeerId> voters() {
        return voters;
    }

    /** The highest that this node has taken part in. */
    long term() {
        return term;
    }

    /** Of the last entry; -1 if there is none. */
    long index() {
        return index;
    }

    /** A file whose end could not be read: what was in it is not in the metadata. */
    @Nullable
    Path damaged() {
        return damaged;
    }
}
