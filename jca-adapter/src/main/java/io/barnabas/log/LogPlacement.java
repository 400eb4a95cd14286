package io.barnabas.log;

import java.util.Collection;
import java.util.List;

/** Chooses the data directory of a log that nobody wants in a certain one. Pure. */
final class LogPlacement {
    private LogPlacement() {}

    /**
     * The one with the fewest logs of those that are online and not cordoned. If all are cordoned, of those online: what was placed on
     * this broker before the last directory was cordoned must be somewhere (KIP-1066).
     *
     * @throws LogStorageException if all are offline
     */
    static DiskDirectory choose(List<DiskDirectory> directories, Collection<SegmentedLog> logs) {
        List<DiskDirectory> online =
                directories.stream().filter(DiskDirectory::online).toList();
        List<DiskDirectory> open =
                online.stream().filter(each -> !each.cordoned()).toList();
        List<DiskDirectory> candidates = open.isEmpty() ? online : open;
        if (candidates.size() == 1) {
            return candidates.get(0); // a thousand logs of one disk are not counted
        }
        DiskDirectory best = null;
        long fewest = Long.MAX_VALUE;
        for (DiskDirectory each : candidates) {
            long held = logs.stream().filter(log -> log.disk() == each).count();
            if (held < fewest) {
                fewest = held;
                best = each;
            }
        }
        if (best == null) {
            throw new LogStorageException("Every data directory is offline");
        }
        return best;
    }
}
