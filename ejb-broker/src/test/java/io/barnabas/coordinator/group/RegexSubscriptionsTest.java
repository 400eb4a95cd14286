package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.ConsumerRequests.joining;
import static io.barnabas.coordinator.group.ConsumerRequests.request;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupRegularExpressionKey;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.junit.jupiter.api.Test;

/** Subscriptions by pattern: when patterns are matched, what of them is in the log, and what follows for the group. */
class RegexSubscriptionsTest {
    private static final int REFRESH_MS = 600_000;

    private final GroupFixture group = new GroupFixture();
    private final Uuid topic = group.createTopic("t1", 4);

    private ConsumerGroupHeartbeatResponseData good(ConsumerGroupHeartbeatRequestData request) {
        ConsumerGroupHeartbeatResponseData answer = now(group.groups.consumerHeartbeat(client(1), request));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer;
    }

    private ConsumerGroupHeartbeatResponseData join(String member, String regex) {
        return good(joining(member, null).setSubscribedTopicNames(null).setSubscribedTopicRegex(regex));
    }

    private int epoch(String member) {
        return now(group.groups.describeConsumers(List.of(GroupFixture.GROUP))).get(0).members().stream()
                .filter(one -> one.memberId().equals(member))
                .findFirst()
                .orElseThrow()
                .memberEpoch();
    }

    /** A heartbeat that says nothing new. */
    private ConsumerGroupHeartbeatResponseData beat(String member) {
        return good(request(member, epoch(member)));
    }

    private void subscribe(String member, String regex, String... topics) {
        good(request(member, epoch(member)).setSubscribedTopicRegex(regex).setSubscribedTopicNames(List.of(topics)));
    }

    private static Set<Uuid> topics(ConsumerGroupHeartbeatResponseData answer) {
        Set<Uuid> topics = new TreeSet<>();
        answer.assignment().topicPartitions().forEach(of -> topics.add(of.topicId()));
        return topics;
    }

    /** The records of patterns in the log: the pattern, with a minus for one that is gone. */
    private List<String> written() {
        List<String> written = new ArrayList<>();
        group.log
                .batches(GroupFixture.LOG)
                .forEach(batch -> batch.forEach(record -> {
                    ByteBuffer key = record.key();
                    if (key.getShort() == CoordinatorRecordType.CONSUMER_GROUP_REGULAR_EXPRESSION.id()) {
                        String regex = new ConsumerGroupRegularExpressionKey(new ByteBufferAccessor(key), (short) 0)
                                .regularExpression();
                        written.add(record.hasValue() ? regex : "-" + regex);
                    }
                }));
        return written;
    }

    @Test
    void what_a_pattern_matches_is_in_the_log_for_as_long_as_somebody_has_it() {
        join("a", "t.*");
        join("b", "t.*");
        subscribe("a", "", "t1");
        assertThat(written()).containsExactly("t.*");

        group.ticker.advance(11_000);
        subscribe("b", "t1|u");

        assertThat(written()).containsExactly("t.*", "-t.*", "t1|u");
    }

    @Test
    void the_pattern_of_a_member_that_leaves_goes_with_it() {
        join("a", "t.*");
        good(joining("b", null).setSubscribedTopicNames(List.of("t1")));

        good(request("a", -1));

        assertThat(written()).containsExactly("t.*", "-t.*");
    }

    @Test
    void a_member_with_a_pattern_that_is_known_has_its_part_at_once() {
        join("a", "t.*");
        int before = beat("a").memberEpoch();

        ConsumerGroupHeartbeatResponseData b = join("b", "t.*");

        assertThat(b.memberEpoch()).as("of a new target").isEqualTo(before + 1);
        assertThat(written()).as("matched once").containsExactly("t.*");
    }

    @Test
    void patterns_are_matched_when_topics_are_made_but_not_more_often_than_every_ten_seconds() {
        join("a", "t.*");
        assertThat(topics(beat("a"))).containsExactly(topic);
        Uuid more = group.createTopic("t2", 1);
        group.ticker.advance(9_000);

        beat("a");
        assertThat(beat("a").assignment()).isNull();

        group.ticker.advance(2_000);
        beat("a");
        assertThat(topics(beat("a"))).containsExactlyInAnyOrder(topic, more);
    }

    @Test
    void patterns_are_matched_again_after_their_interval_though_nothing_was_made() {
        join("a", "t.*");
        for (int ms = 0; ms <= REFRESH_MS; ms += 30_000) {
            beat("a");
            assertThat(written()).containsExactly("t.*");
            group.ticker.advance(30_000);
        }

        beat("a");

        assertThat(written()).containsExactly("t.*", "t.*");
    }
}
