package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.ForcedRecovery;
import io.barnabas.metadata.MetadataNodeSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;

/**
 * Recovers by force a quorum that has lost its majority, on a stopped node: the way in for the launcher, which loads this class from the
 * application's archive and calls it by name. See {@link ForcedRecovery}.
 */
public final class QuorumRecovery {
    private QuorumRecovery() {}

    /**
     * Tells what is left and what may be lost, and recovers if told so.
     *
     * @param config the node's
     * @param yes whether to do it
     * @return lines for the operator
     * @throws IOException why it cannot be done
     */
    public static List<String> run(Map<String, String> config, boolean yes) throws IOException {
        LiveConfig live = new LiveConfig(BrokerConfig.of(config));
        MetadataNodeSettings settings = Foundation.metadataSettings(
                live.atStart(), live.atStart().quorumVoters(), Foundation.clusterKey(live.atStart()));
        try (ForcedRecovery recovery = ForcedRecovery.prepare(settings, live)) {
            List<String> lines = new ArrayList<>(recovery.report());
            if (yes) {
                recovery.carryOut(Uuid::randomUuid);
                lines.add(
                        "DONE: this node is the only voter now. Start it, then the others, and give each of those its vote by "
                                + "barnabas add-voter.");
            } else {
                lines.add("NOTHING HAS BEEN CHANGED. Add --yes to recover by force.");
            }
            return lines;
        }
    }
}
