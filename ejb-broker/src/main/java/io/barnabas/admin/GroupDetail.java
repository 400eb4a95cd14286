package io.barnabas.admin;

import java.util.List;

/** A group with its members and offsets. */
public record GroupDetail(GroupView group, List<MemberView> members, List<OffsetView> offsets) {

    /** One member. The instance id is empty for a dynamic one. */
    public record MemberView(String id, String instanceId, String clientId, String host, List<String> assignment) {}

    /** One committed offset; the lag is -1 if the partition is gone. */
    public record OffsetView(
            String topic, int partition, long committed, long highWatermark, long lag, String metadata) {}
}
