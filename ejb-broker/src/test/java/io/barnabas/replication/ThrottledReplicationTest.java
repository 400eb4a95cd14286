package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import java.util.List;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A reassignment's throttle slows replicas that are out of sync, and nobody else (KIP-73). */
class ThrottledReplicationTest {
    private static final String LEADERS = "leader.replication.throttled.replicas";
    private static final String FOLLOWERS = "follower.replication.throttled.replicas";
    private static final int RECORDS = 12;
    private static final int RECORD_BYTES = 50_000; // one in each fetch
    private static final int BYTES_PER_SECOND = 60_000;

    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);

    /** Broker 3 is out of sync and has everything to copy. */
    @BeforeEach
    void fallBehind() {
        cluster.isolate(3, true);
        cluster.controller.fence(3);
        cluster.run(10);
        for (int i = 0; i < RECORDS; i++) {
            cluster.append(1, 0, -1, "v".repeat(RECORD_BYTES));
            cluster.run(1);
        }
    }

    private void set(int broker, String key, String value) {
        cluster.node(broker)
                .take(List.of(new ConfigRecord()
                        .setResourceType(ConfigResource.Type.TOPIC.id())
                        .setResourceName(ScriptedController.TOPIC)
                        .setName(key)
                        .setValue(value)));
    }

    private void comeBack() {
        cluster.heal();
        cluster.controller.unfence(3);
        cluster.run(600); // its connection is made anew
    }

    private long copied() {
        return cluster.node(3).partition(0).log().logEndOffset();
    }

    private long secondsToCopy() {
        long seconds = 0;
        while (copied() < RECORDS && seconds < 100) {
            cluster.run(1_000);
            seconds++;
        }
        return seconds;
    }

    @Test
    void aLeaderSendsNoMoreThanItsRate() {
        cluster.node(1).leaderBytesPerSecond = BYTES_PER_SECOND;
        set(1, LEADERS, "0:1,0:2");

        comeBack();

        assertThat(secondsToCopy()).isBetween(6L, 20L);
    }

    @Test
    void aFollowerFetchesNoMoreThanItsRate() {
        cluster.node(3).followerBytesPerSecond = BYTES_PER_SECOND;
        set(3, FOLLOWERS, "0:3");

        comeBack();

        assertThat(secondsToCopy()).isBetween(6L, 20L);
    }

    @Test
    void whatIsNotNamedIsNotThrottled() {
        cluster.node(1).leaderBytesPerSecond = 1;
        cluster.node(3).followerBytesPerSecond = 1;
        set(1, LEADERS, "0:2,1:1");
        set(3, FOLLOWERS, "0:1");

        comeBack();

        assertThat(copied()).isEqualTo(RECORDS);
    }

    @Test
    void whoIsInSyncKeepsPace() {
        cluster.node(1).leaderBytesPerSecond = 1;
        cluster.node(2).followerBytesPerSecond = 1;
        set(1, LEADERS, "*");
        set(2, FOLLOWERS, "*");

        for (int i = 0; i < RECORDS; i++) {
            cluster.append(1, 0, -1, "v".repeat(RECORD_BYTES));
            cluster.run(10);
        }

        assertThat(cluster.leader(0).highWatermark()).isEqualTo(2 * RECORDS);
    }

    @Test
    void withoutTheSettingAllGoesOnAtOnce() {
        cluster.node(1).leaderBytesPerSecond = 1;
        set(1, LEADERS, "*");
        comeBack();
        assertThat(copied()).isLessThan(RECORDS);
        assertThat(cluster.node(3).fetchers.lagRecordsMax()).isEqualTo(RECORDS - copied());

        set(1, LEADERS, null);
        cluster.run(1_500);

        assertThat(copied()).isEqualTo(RECORDS);
    }
}
