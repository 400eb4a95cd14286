package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.TestMetadata;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class ApiVersionsTest {
    private final DataPathFixture broker = new DataPathFixture();

    private static ApiVersionsRequestData request() {
        return new ApiVersionsRequestData().setClientSoftwareName("test").setClientSoftwareVersion("1.0");
    }

    private ApiVersionsResponseData ask(int version, ApiVersionsRequestData request) {
        return broker.send(ApiKeys.API_VERSIONS, version, request).body(ApiVersionsResponseData.class);
    }

    @Test
    void saysWhatIsServedAndNothingElse() {
        for (short version = 0; version <= 5; version++) {
            ApiVersionsResponseData answer = ask(version, request());
            assertThat(answer.apiKeys().find(ApiKeys.PRODUCE.id).minVersion()).isZero();
            assertThat(answer.apiKeys().find(ApiKeys.PRODUCE.id).maxVersion()).isEqualTo((short) 13);
            assertThat(answer.apiKeys().find(ApiKeys.FETCH.id).minVersion()).isEqualTo((short) 4);
            assertThat(answer.apiKeys().find(ApiKeys.JOIN_GROUP.id)).isNull();
            assertThat(answer.finalizedFeatures().find("metadata.version").maxVersionLevel())
                    .isEqualTo((short) 33);
        }
    }

    @Test
    void anUnknownVersionIsAnsweredInVersion0() {
        RecordedAnswer answer = broker.send(ApiKeys.API_VERSIONS, 9, new ApiVersionsRequestData());
        assertThat(answer.version()).isEqualTo((short) 0);
        ApiVersionsResponseData body = answer.body(ApiVersionsResponseData.class);
        assertThat(body.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(body.apiKeys().find(ApiKeys.API_VERSIONS.id).maxVersion()).isEqualTo((short) 5);
    }

    @Test
    void clientSoftwareMustBeWellFormed() {
        assertThat(ask(3, request().setClientSoftwareName("-bad")).errorCode())
                .isEqualTo(Errors.INVALID_REQUEST.code());
        assertThat(ask(5, request().setClusterId("x")).errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
    }

    @Test
    void aClientThatMeantAnotherBrokerIsToldToBootstrapAgain() {
        assertThat(ask(5, request().setClusterId("x").setNodeId(TestMetadata.NODE_ID))
                        .errorCode())
                .isEqualTo(Errors.REBOOTSTRAP_REQUIRED.code());
        assertThat(ask(5, request().setClusterId(TestMetadata.CLUSTER_ID).setNodeId(TestMetadata.NODE_ID))
                        .errorCode())
                .isZero();
    }

    @Test
    void whatIsNotServedClosesTheConnection() {
        assertThat(broker.send(ApiKeys.JOIN_GROUP, 9, new JoinGroupRequestData())
                        .closed())
                .isTrue();
    }
}
