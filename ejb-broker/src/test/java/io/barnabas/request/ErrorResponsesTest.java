package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.wire.RequestFrame;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ErrorResponsesTest {
    @ParameterizedTest
    @EnumSource(ApiKeys.class)
    void everyApiInEveryVersionHasAnErrorResponseThatCanBeWritten(ApiKeys api) {
        for (short version = api.oldestVersion(); version <= api.latestVersion(); version++) {
            ApiMessage request = api.messageType.newRequest();
            RecordedAnswer answer = new RecordedAnswer();
            ErrorResponses.answer(context(api, version, request), new NotControllerException("x"), answer);
            assertThat(answer.given()).as("%s %s", api, version).isTrue();
            if (!answer.nothing() && !answer.closed()) {
                assertThat(answer.bytes(version)).isNotNull();
            }
        }
    }

    @Test
    void wrappersOfFuturesAreTakenOff() {
        assertThat(ErrorResponses.errorOf(
                        new CompletionException(new CompletionException(new UnknownTopicOrPartitionException("t")))))
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void whatIsUnexpectedIsAnUnknownServerErrorWithoutItsMessage() {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics().add(new CreateTopicsRequestData.CreatableTopic().setName("t"));
        RecordedAnswer answer = new RecordedAnswer();
        ErrorResponses.answer(
                context(ApiKeys.CREATE_TOPICS, (short) 7, request), new IllegalStateException("secret"), answer);
        var topic = answer.body(CreateTopicsResponseData.class).topics().find("t");
        assertThat(topic.errorCode()).isEqualTo(Errors.UNKNOWN_SERVER_ERROR.code());
        assertThat(topic.errorMessage()).isNotEqualTo("secret");
    }

    private static RequestContext context(ApiKeys api, short version, ApiMessage body) {
        return new RequestContext(new RequestFrame(api, version, 1, "test", body, 1, 0), new TestConnection(1));
    }
}
