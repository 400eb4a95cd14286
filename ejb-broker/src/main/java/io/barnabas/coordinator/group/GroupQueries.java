package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.metadata.MetadataImage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** ListGroups and DescribeGroups for one shard. Confined to its serial executor. */
final class GroupQueries {
    private static final String CLASSIC = "classic";
    private static final String CONSUMER = "consumer";
    private static final int ERROR_FOR_MISSING_VERSION = 6;

    private final ShardContext context;

    GroupQueries(ShardContext context) {
        this.context = context;
    }

    /** Filters are by name, whatever the case; an empty one lets everything pass. */
    List<ListedGroup> list(Collection<String> states, Collection<String> types) {
        Set<String> wantedStates = lowerCase(states);
        Set<String> wantedTypes = lowerCase(types);
        List<ListedGroup> listed = new ArrayList<>();
        if (passes(wantedTypes, CLASSIC)) {
            for (ClassicGroup group : context.groups().all()) {
                if (passes(wantedStates, group.state().lowerCase())) {
                    listed.add(listed(group));
                }
            }
        }
        if (passes(wantedTypes, CONSUMER)) {
            for (ConsumerGroup group : context.groups().consumers()) {
                if (passes(wantedStates, group.state().lowerCase())) {
                    listed.add(new ListedGroup()
                            .setGroupId(group.id())
                            .setProtocolType(CONSUMER)
                            .setGroupState(group.state().toString())
                            .setGroupType(CONSUMER));
                }
            }
        }
        context.groups().foreignTypes().forEach((id, type) -> {
            // nobody can be a member of it here
            if (passes(wantedTypes, type) && passes(wantedStates, GroupState.EMPTY.lowerCase())) {
                listed.add(new ListedGroup()
                        .setGroupId(id)
                        .setProtocolType(type)
                        .setGroupState(GroupState.EMPTY.toString())
                        .setGroupType(type));
            }
        });
        return listed;
    }

    private static ListedGroup listed(ClassicGroup group) {
        @Nullable String protocolType = group.protocolType();
        return new ListedGroup()
                .setGroupId(group.id())
                .setProtocolType(protocolType == null ? "" : protocolType)
                .setGroupState(group.state().toString())
                .setGroupType(CLASSIC);
    }

    private static boolean passes(Set<String> wanted, String name) {
        return wanted.isEmpty() || wanted.contains(name);
    }

    private static Set<String> lowerCase(Collection<String> names) {
        Set<String> lower = new HashSet<>();
        names.forEach(name -> lower.add(name.toLowerCase(Locale.ROOT).trim()));
        return lower;
    }

    List<DescribedGroup> describe(Collection<String> groupIds, short version) {
        List<DescribedGroup> described = new ArrayList<>();
        for (String groupId : groupIds) {
            @Nullable ClassicGroup group = context.groups().find(groupId);
            described.add(group == null ? missing(groupId, version) : describe(group));
        }
        return described;
    }

    /** ConsumerGroupDescribe for one shard. */
    List<ConsumerGroupDescribeResponseData.DescribedGroup> describeConsumers(Collection<String> groupIds) {
        List<ConsumerGroupDescribeResponseData.DescribedGroup> described = new ArrayList<>();
        MetadataImage image = context.consumers().image().get();
        String assignor =
                context.consumers().settings().get().assignors().get(0).name();
        for (String groupId : groupIds) {
            @Nullable ConsumerGroup group = context.groups().consumer(groupId);
            described.add(
                    group == null
                            ? new ConsumerGroupDescribeResponseData.DescribedGroup()
                                    .setGroupId(groupId)
                                    .setErrorCode(Errors.GROUP_ID_NOT_FOUND.code())
                                    .setErrorMessage(
                                            context.groups().exists(groupId)
                                                    ? "Group " + groupId + " is not a consumer group."
                                                    : "Group " + groupId + " not found.")
                            : ConsumerDescriptions.of(group, assignor, image));
        }
        return described;
    }

    private DescribedGroup missing(String groupId, short version) {
        DescribedGroup dead = new DescribedGroup().setGroupId(groupId).setGroupState(GroupState.DEAD.toString());
        if (version < ERROR_FOR_MISSING_VERSION) {
            return dead;
        }
        String message = context.groups().exists(groupId)
                ? "Group " + groupId + " is not a classic group."
                : "Group " + groupId + " not found.";
        return dead.setErrorCode(Errors.GROUP_ID_NOT_FOUND.code()).setErrorMessage(message); // KIP-1043
    }

    private static DescribedGroup describe(ClassicGroup group) {
        @Nullable String protocol = group.is(GroupState.STABLE) ? group.protocol() : null;
        @Nullable String protocolType = group.protocolType();
        List<DescribedGroupMember> members = new ArrayList<>(group.members().size());
        group.members().forEach(member -> members.add(member.describe(protocol)));
        return new DescribedGroup()
                .setGroupId(group.id())
                .setGroupState(group.state().toString())
                .setProtocolType(protocolType == null ? "" : protocolType)
                .setProtocolData(protocol == null ? "" : protocol)
                .setMembers(members);
    }
}
