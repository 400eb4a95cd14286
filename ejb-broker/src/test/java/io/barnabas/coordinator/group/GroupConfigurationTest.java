package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.ConsumerRequests.joining;
import static io.barnabas.coordinator.group.ConsumerRequests.request;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is set for one group takes effect there, at once, and nowhere else: g is configured, h is not. */
class GroupConfigurationTest {
    private static final int DEFAULT_HEARTBEAT_MS = 5_000;
    private static final int DEFAULT_SESSION_MS = 45_000;

    private final LiveConfig broker =
            new LiveConfig(BrokerConfig.of(Map.of("group.consumer.assignment.interval.ms", "0")));
    private final GroupFixture fixture = new GroupFixture();

    @BeforeEach
    void twoGroups() {
        fixture.consumers = ConsumerGroupSettings.of(broker, fixture.metadata::image);
        fixture.createTopic("t", 4);
        send("g", joining("in-g", null));
        send("h", joining("in-h", null));
    }

    private ConsumerGroupHeartbeatResponseData send(String group, ConsumerGroupHeartbeatRequestData request) {
        ConsumerGroupHeartbeatResponseData answer =
                now(fixture.groups.consumerHeartbeat(client(1), request.setGroupId(group)));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer;
    }

    private int interval(String group) {
        return send(group, request("in-" + group, 2)).heartbeatIntervalMs();
    }

    private void set(String key, @Nullable String value) {
        fixture.metadata.replay(new ConfigRecord()
                .setResourceType(ConfigResource.Type.GROUP.id())
                .setResourceName("g")
                .setName(key)
                .setValue(value));
    }

    private List<String> members(String group) {
        return now(fixture.groups.describeConsumers(List.of(group))).get(0).members().stream()
                .map(Member::memberId)
                .toList();
    }

    @Test
    void the_next_heartbeat_of_the_group_is_told_its_interval() {
        assertThat(interval("g")).isEqualTo(DEFAULT_HEARTBEAT_MS);

        set("consumer.heartbeat.interval.ms", "7000");

        assertThat(interval("g")).isEqualTo(7_000);
        assertThat(interval("h")).isEqualTo(DEFAULT_HEARTBEAT_MS);
        set("consumer.heartbeat.interval.ms", null);
        assertThat(interval("g")).as("unset again").isEqualTo(DEFAULT_HEARTBEAT_MS);
    }

    @Test
    void a_silent_member_is_ended_by_the_session_timeout_of_its_group() {
        set("consumer.session.timeout.ms", "55000");
        interval("g");
        interval("h");

        fixture.ticker.advance(DEFAULT_SESSION_MS + 1);

        assertThat(members("h")).isEmpty();
        assertThat(members("g")).containsExactly("in-g");
        fixture.ticker.advance(55_000 - DEFAULT_SESSION_MS);
        assertThat(members("g")).isEmpty();
    }

    @Test
    void the_session_timeout_of_a_group_holds_after_a_restart() {
        set("consumer.session.timeout.ms", "55000");

        fixture.restart();
        fixture.ticker.advance(DEFAULT_SESSION_MS + 1);

        assertThat(members("h")).isEmpty();
        assertThat(members("g")).containsExactly("in-g");
    }

    @Test
    void targets_of_the_group_are_computed_as_often_as_its_interval_allows() {
        set("consumer.assignment.interval.ms", "1000");

        assertThat(send("g", joining("b", null)).memberEpoch())
                .as("of the last target")
                .isEqualTo(2);
        assertThat(send("h", joining("b", null)).memberEpoch()).isEqualTo(3);
        fixture.ticker.advance(1_000);
        assertThat(send("g", request("b", 2)).memberEpoch()).isEqualTo(3);
    }

    @Test
    void what_the_broker_no_longer_allows_is_brought_within_its_bounds() {
        set("consumer.heartbeat.interval.ms", "14000");
        assertThat(interval("g")).isEqualTo(14_000);

        LiveConfig narrower =
                new LiveConfig(BrokerConfig.of(Map.of("group.consumer.max.heartbeat.interval.ms", "10000")));
        fixture.consumers = ConsumerGroupSettings.of(narrower, fixture.metadata::image);

        assertThat(interval("g")).isEqualTo(10_000);
    }
}
