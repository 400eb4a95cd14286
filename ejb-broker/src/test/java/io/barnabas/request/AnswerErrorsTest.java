package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AnswerErrorsTest {
    private final AnswerErrors errors = new AnswerErrors();

    private List<Errors> in(ApiMessage answer) {
        List<Errors> found = new ArrayList<>();
        errors.forEach(answer, found::add);
        return found;
    }

    @Test
    void errorsOfTheWholeAndOfItsPartsAreFound() {
        assertThat(in(new HeartbeatResponseData())).isEmpty();
        assertThat(in(new HeartbeatResponseData().setErrorCode(Errors.ILLEGAL_GENERATION.code())))
                .containsExactly(Errors.ILLEGAL_GENERATION);
        OffsetCommitResponseData commit = new OffsetCommitResponseData()
                .setTopics(List.of(new OffsetCommitResponseData.OffsetCommitResponseTopic()
                        .setPartitions(List.of(
                                new OffsetCommitResponseData.OffsetCommitResponsePartition(),
                                new OffsetCommitResponseData.OffsetCommitResponsePartition()
                                        .setErrorCode(Errors.NOT_COORDINATOR.code())))));
        assertThat(in(commit)).containsExactly(Errors.NOT_COORDINATOR);
        CreateTopicsResponseData created = new CreateTopicsResponseData();
        created.topics()
                .add(new CreateTopicsResponseData.CreatableTopicResult()
                        .setName("t")
                        .setErrorCode(Errors.TOPIC_ALREADY_EXISTS.code()));
        assertThat(in(created)).containsExactly(Errors.TOPIC_ALREADY_EXISTS);
    }

    @ParameterizedTest
    @EnumSource(
            value = ApiMessageType.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"LEADER_AND_ISR", "STOP_REPLICA", "UPDATE_METADATA", "CONTROLLED_SHUTDOWN"
            }) // have no answer any more
    void everyApisAnswerCanBeLookedAt(ApiMessageType api) {
        assertThatCode(() -> in(api.newResponse())).doesNotThrowAnyException();
    }
}
