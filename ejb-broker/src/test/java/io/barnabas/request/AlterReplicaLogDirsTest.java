package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class AlterReplicaLogDirsTest {
    private static final String PRESENT = "/memory";

    private final DataPathFixture broker = new DataPathFixture();

    private Errors move(String topic, String directory) {
        AlterReplicaLogDirsRequestData request = new AlterReplicaLogDirsRequestData();
        AlterReplicaLogDir to = new AlterReplicaLogDir().setPath(directory);
        to.topics().add(new AlterReplicaLogDirTopic().setName(topic).setPartitions(List.of(0)));
        request.dirs().add(to);
        var answer =
                broker.send(ApiKeys.ALTER_REPLICA_LOG_DIRS, 2, request).body(AlterReplicaLogDirsResponseData.class);
        return Errors.forCode(answer.results().get(0).partitions().get(0).errorCode());
    }

    @Test
    void thePresentDirectoryIsGoneBackToWhateverMoveIsUnderWay() {
        broker.createTopic("t", 1);
        assertThat(move("t", PRESENT)).isEqualTo(Errors.NONE);
        assertThat(broker.logs.moves()).containsExactly(new TopicPartition("t", 0));
    }

    @Test
    void tooLongANameIsToldBeforeDirectoryAndPartition() {
        String longest = "t".repeat(214);
        broker.createTopic(longest, 1);
        assertThat(move(longest, PRESENT)).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertThat(move(longest, "/nowhere")).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertThat(move("u".repeat(214), PRESENT)).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertThat(broker.logs.moves()).isEmpty();
    }

    @Test
    void aDirectoryIsWishedForBeforeTheTopicIsThere() {
        assertThat(move("later", PRESENT)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(broker.logs.preferences()).containsExactly(new TopicPartition("later", 0));
        assertThat(move("later", "/nowhere")).isEqualTo(Errors.LOG_DIR_NOT_FOUND);
        assertThat(broker.logs.preferences()).hasSize(1);
    }
}
