package io.barnabas.grid;

import io.barnabas.config.GridSettings;
import io.barnabas.config.QuorumVoter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * A node as it shows itself in the data grid. Immutable.
 *
 * @param voters all that vote on metadata, as they are configured there; empty of a node that has no vote
 */
public record GridMember(int nodeId, List<QuorumVoter> voters) {
    private static final int TEXT_MAX = 4096;

    /** Of a member with these attributes; empty if they are not those of a node of ours. */
    public static Optional<GridMember> of(Map<String, String> attributes) {
        @Nullable String node = attributes.get(GridSettings.NODE);
        String voters = attributes.getOrDefault(GridSettings.VOTERS, "");
        if (node == null || !node.matches("\\d{1,9}") || voters.length() > TEXT_MAX) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new GridMember(Integer.parseInt(node), voters.isEmpty() ? List.of() : QuorumVoter.parse(voters)));
        } catch (ConfigException e) {
            return Optional.empty();
        }
    }
}
