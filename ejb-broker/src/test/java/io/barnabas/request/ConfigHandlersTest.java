package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigHandlersTest {
    private static final int SET = 0;
    private static final int DELETE = 1;
    private static final int APPEND = 2;
    private static final int SUBTRACT = 3;

    private final ControlPlaneFixture broker =
            new ControlPlaneFixture(Map.of("log.retention.ms", "5000"), io.barnabas.metadata.Policies.NONE);

    @Test
    void a_topics_setting_hides_the_brokers_and_both_are_told() {
        broker.createTopic("t", 1);
        alter(Type.TOPIC, "t", "retention.ms", SET, "7000");

        DescribeConfigsResourceResult own = described(Type.TOPIC, "t", "retention.ms");
        DescribeConfigsResourceResult inherited = described(Type.TOPIC, "t", "segment.bytes");

        assertThat(own.value()).isEqualTo("7000");
        assertThat(own.configSource()).isEqualTo(ConfigSource.TOPIC_CONFIG.id());
        assertThat(own.synonyms())
                .extracting(s -> s.name() + "=" + s.value())
                .containsExactly("retention.ms=7000", "log.retention.ms=5000", "log.retention.hours=168");
        assertThat(own.configType()).isEqualTo((byte) 5);
        assertThat(own.documentation()).isNotBlank();
        assertThat(inherited.configSource()).isEqualTo(ConfigSource.DEFAULT_CONFIG.id());
        assertThat(inherited.synonyms()).extracting(s -> s.name()).containsExactly("log.segment.bytes");
    }

    @Test
    void lists_are_appended_to_and_subtracted_from() {
        broker.createTopic("t", 1);

        alter(Type.TOPIC, "t", "cleanup.policy", APPEND, "compact");
        assertThat(described(Type.TOPIC, "t", "cleanup.policy").value()).isEqualTo("delete,compact");

        alter(Type.TOPIC, "t", "cleanup.policy", SUBTRACT, "delete");
        assertThat(described(Type.TOPIC, "t", "cleanup.policy").value()).isEqualTo("compact");

        assertThat(alter(Type.TOPIC, "t", "segment.bytes", APPEND, "1").errorMessage())
                .isEqualTo("Can't APPEND to key segment.bytes because its type is not LIST.");
    }

    @ParameterizedTest
    @CsvSource({
        "TOPIC, t, retention.ms, -2, INVALID_CONFIG",
        "TOPIC, t, no.such.key, 1, INVALID_CONFIG",
        "TOPIC, not-there, retention.ms, 1, UNKNOWN_TOPIC_OR_PARTITION",
        "TOPIC, bad name, retention.ms, 1, INVALID_TOPIC_EXCEPTION",
        "TOPIC, '', retention.ms, 1, INVALID_REQUEST",
        "BROKER, 1, num.partitions, 3, INVALID_REQUEST",
        "BROKER, 1, message.max.bytes, -1, INVALID_REQUEST",
        "BROKER, '', listener.name.x.ssl.keystore.location, k, INVALID_REQUEST",
        "BROKER, 2, message.max.bytes, 1000, INVALID_REQUEST",
        "BROKER, x, message.max.bytes, 1000, INVALID_REQUEST",
        "GROUP, '', consumer.session.timeout.ms, 50000, INVALID_REQUEST",
        "GROUP, g, consumer.session.timeout.ms, 1, INVALID_CONFIG",
        "GROUP, g, no.such.key, 1, INVALID_CONFIG",
        "CLIENT_METRICS, m, interval.ms, 1, INVALID_REQUEST",
        "CLIENT_METRICS, m, no.such.key, 1, INVALID_REQUEST",
        "BROKER_LOGGER, 1, no.such.logger, INFO, INVALID_CONFIG",
        "BROKER_LOGGER, 2, root, INFO, INVALID_REQUEST",
        "UNKNOWN, x, y, 1, INVALID_REQUEST",
    })
    void a_change_that_is_not_allowed_is_answered_with_kafkas_error(
            Type type, String name, String key, String value, Errors error) {
        broker.createTopic("t", 1);

        assertThat(Errors.forCode(alter(type, name, key, SET, value).errorCode()))
                .isEqualTo(error);
        assertThat(Errors.forCode(replace(type, name, Map.of(key, value)).errorCode()))
                .isEqualTo(type == Type.BROKER_LOGGER ? Errors.INVALID_REQUEST : error);
    }

    @Test
    void a_change_of_a_topic_that_is_not_there_names_it() {
        assertThat(alter(Type.TOPIC, "baz", "segment.jitter.ms", SET, "678").errorMessage())
                .isEqualTo("The topic 'baz' does not exist.");
    }

    @Test
    void resources_and_keys_named_twice_and_values_left_out_are_refused() {
        broker.createTopic("t", 1);
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        AlterConfigsResource twice = resource(Type.TOPIC, "t");
        twice.configs().mustAdd(new AlterableConfig().setName("retention.ms").setValue("1"));
        twice.configs()
                .mustAdd(new AlterableConfig()
                        .setName("retention.ms")
                        .setConfigOperation((byte) DELETE)
                        .setValue(null));
        request.resources().mustAdd(twice);

        assertThat(alter(Type.TOPIC, "t", "retention.ms", SET, null).errorMessage())
                .isEqualTo("Null value not supported for : retention.ms");
        assertThat(alter(Type.TOPIC, "t", "retention.ms", 9, "1").errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
        assertThat(send(request).responses().get(0).errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
    }

    @Test
    void validating_only_changes_nothing() {
        broker.createTopic("t", 1);
        IncrementalAlterConfigsRequestData request =
                request(Type.TOPIC, "t", "retention.ms", SET, "9").setValidateOnly(true);

        assertThat(send(request).responses().get(0).errorCode()).isZero();
        assertThat(broker.metadata.image().config(new ConfigResource(Type.TOPIC, "t")))
                .isEmpty();
    }

    @Test
    void replacing_a_configuration_drops_what_is_not_named() {
        broker.createTopic("t", 1);
        alter(Type.TOPIC, "t", "retention.ms", SET, "9");

        replace(Type.TOPIC, "t", Map.of("segment.ms", "8"));

        assertThat(broker.metadata.image().config(new ConfigResource(Type.TOPIC, "t")))
                .containsExactly(Map.entry("segment.ms", "8"));
    }

    @Test
    void a_brokers_setting_takes_effect_at_run_time_and_is_told_where_it_was_made() {
        alter(Type.BROKER, "", "message.max.bytes", SET, "2000");
        alter(Type.BROKER, "1", "message.max.bytes", SET, "3000");

        assertThat(broker.config.current().getInt("message.max.bytes")).isEqualTo(3000);
        assertThat(described(Type.BROKER, "1", "message.max.bytes")).satisfies(c -> {
            assertThat(c.value()).isEqualTo("3000");
            assertThat(c.readOnly()).isFalse();
            assertThat(c.synonyms()).extracting(s -> s.source()).containsExactly((byte) 2, (byte) 3, (byte) 5);
        });
        assertThat(described(Type.BROKER, "", "message.max.bytes").value()).isEqualTo("2000");
        assertThat(described(Type.BROKER, "1", "num.partitions").readOnly()).isTrue();
        assertThat(describe(Type.BROKER, "", null).configs()).hasSize(1);

        alter(Type.BROKER, "1", "message.max.bytes", DELETE, null);
        assertThat(broker.config.current().getInt("message.max.bytes")).isEqualTo(2000);
    }

    @Test
    void secrets_are_never_told() {
        assertThat(described(Type.BROKER, "1", "ssl.keystore.password")).satisfies(c -> {
            assertThat(c.isSensitive()).isTrue();
            assertThat(c.value()).isNull();
        });
    }

    @Test
    void a_listeners_own_key_is_told_as_the_key_that_it_overrides() {
        alter(Type.BROKER, "1", "listener.name.x.ssl.truststore.type", SET, "PKCS12");
        alter(Type.BROKER, "1", "listener.name.x.ssl.truststore.password", SET, "secret");
        alter(Type.BROKER, "1", "not.known", SET, "secret");

        assertThat(described(Type.BROKER, "1", "listener.name.x.ssl.truststore.type"))
                .satisfies(c -> {
                    assertThat(c.value()).isEqualTo("PKCS12");
                    assertThat(c.configType()).isEqualTo(ConfigType.STRING.id());
                });
        assertThat(List.of("listener.name.x.ssl.truststore.password", "not.known"))
                .allSatisfy(name -> {
                    assertThat(described(Type.BROKER, "1", name).isSensitive()).isTrue();
                    assertThat(described(Type.BROKER, "1", name).value()).isNull();
                    assertThat(described(Type.BROKER, "1", name).synonyms())
                            .first()
                            .satisfies(s -> assertThat(s.value()).isNull());
                });
    }

    @ParameterizedTest
    @CsvSource({
        "TOPIC, not-there, UNKNOWN_TOPIC_OR_PARTITION",
        "TOPIC, bad name, INVALID_TOPIC_EXCEPTION",
        "BROKER, 2, INVALID_REQUEST",
        "BROKER, x, INVALID_REQUEST",
        "BROKER_LOGGER, '', INVALID_REQUEST",
        "GROUP, '', INVALID_REQUEST",
        "CLIENT_METRICS, '', INVALID_REQUEST",
        "UNKNOWN, x, INVALID_REQUEST",
    })
    void what_has_no_configuration_is_answered_with_kafkas_error(Type type, String name, Errors error) {
        assertThat(Errors.forCode(describe(type, name, null).errorCode())).isEqualTo(error);
    }

    @Test
    void groups_and_client_metrics_have_configurations_without_being_there() {
        alter(Type.GROUP, "g", "consumer.session.timeout.ms", SET, "50000");
        alter(Type.CLIENT_METRICS, "m", "interval.ms", SET, "30000");

        assertThat(described(Type.GROUP, "g", "consumer.session.timeout.ms")).satisfies(c -> {
            assertThat(c.value()).isEqualTo("50000");
            assertThat(c.configSource()).isEqualTo(ConfigSource.GROUP_CONFIG.id());
            assertThat(c.synonyms())
                    .extracting(s -> s.name())
                    .containsExactly("consumer.session.timeout.ms", "group.consumer.session.timeout.ms");
        });
        assertThat(described(Type.CLIENT_METRICS, "m", "interval.ms").value()).isEqualTo("30000");
        assertThat(describe(Type.GROUP, "g", null).configs()).hasSize(21);
    }

    @Test
    void levels_of_loggers_are_told_and_changed() {
        Logger logger = Logger.getLogger("io.barnabas.test.levels");
        assertThat(alter(Type.BROKER_LOGGER, "1", logger.getName(), SET, "DEBUG")
                        .errorCode())
                .isZero();

        assertThat(logger.getLevel()).isEqualTo(Level.FINE);
        assertThat(described(Type.BROKER_LOGGER, "1", logger.getName()).value()).isEqualTo("DEBUG");
        assertThat(alter(Type.BROKER_LOGGER, "1", logger.getName(), SET, "LOUD").errorMessage())
                .contains("Valid log levels are DEBUG, ERROR");
        assertThat(alter(Type.BROKER_LOGGER, "1", "root", DELETE, null).errorCode())
                .isEqualTo(Errors.INVALID_REQUEST.code());

        alter(Type.BROKER_LOGGER, "1", logger.getName(), DELETE, null);
        assertThat(logger.getLevel()).isNull();
    }

    @Test
    void kafkas_names_of_loggers_stand_for_ours() {
        Logger ours = Logger.getLogger("io.barnabas.log.LogCompactor");

        assertThat(alter(Type.BROKER_LOGGER, "1", "kafka.log.LogCleaner", SET, "DEBUG")
                        .errorCode())
                .isZero();

        assertThat(ours.getLevel()).isEqualTo(Level.FINE);
        assertThat(described(Type.BROKER_LOGGER, "1", "kafka.log.LogCleaner").value())
                .isEqualTo("DEBUG");
        alter(Type.BROKER_LOGGER, "1", "kafka.log.LogCleaner", DELETE, null);
        assertThat(ours.getLevel()).isNull();
    }

    private AlterConfigsResourceResponse alter(Type type, String name, String key, int operation, String value) {
        return send(request(type, name, key, operation, value)).responses().get(0);
    }

    private IncrementalAlterConfigsResponseData send(IncrementalAlterConfigsRequestData request) {
        return broker.send(ApiKeys.INCREMENTAL_ALTER_CONFIGS, request, IncrementalAlterConfigsResponseData.class);
    }

    private static IncrementalAlterConfigsRequestData request(
            Type type, String name, String key, int operation, String value) {
        AlterConfigsResource resource = resource(type, name);
        resource.configs()
                .add(new AlterableConfig()
                        .setName(key)
                        .setConfigOperation((byte) operation)
                        .setValue(value));
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        request.resources().add(resource);
        return request;
    }

    private static AlterConfigsResource resource(Type type, String name) {
        return new AlterConfigsResource().setResourceType(type.id()).setResourceName(name);
    }

    private AlterConfigsResponseData.AlterConfigsResourceResponse replace(
            Type type, String name, Map<String, String> settings) {
        AlterConfigsRequestData.AlterConfigsResource resource = new AlterConfigsRequestData.AlterConfigsResource()
                .setResourceType(type.id())
                .setResourceName(name);
        settings.forEach((k, v) -> resource.configs()
                .add(new AlterConfigsRequestData.AlterableConfig().setName(k).setValue(v)));
        AlterConfigsRequestData request = new AlterConfigsRequestData();
        request.resources().add(resource);
        return broker.send(ApiKeys.ALTER_CONFIGS, request, AlterConfigsResponseData.class)
                .responses()
                .get(0);
    }

    private DescribeConfigsResourceResult described(Type type, String name, String key) {
        return describe(type, name, List.of(key)).configs().get(0);
    }

    private DescribeConfigsResult describe(Type type, String name, List<String> keys) {
        DescribeConfigsRequestData request = new DescribeConfigsRequestData()
                .setIncludeSynonyms(true)
                .setIncludeDocumentation(true)
                .setResources(List.of(new DescribeConfigsResource()
                        .setResourceType(type.id())
                        .setResourceName(name)
                        .setConfigurationKeys(keys)));
        return broker.send(ApiKeys.DESCRIBE_CONFIGS, request, DescribeConfigsResponseData.class)
                .results()
                .get(0);
    }

    @Test
    void a_resource_that_is_named_again_and_again_is_told_once() {
        broker.createTopic("t", 1);
        List<DescribeConfigsResource> resources = new ArrayList<>();
        for (String name : List.of("t", "t", "t")) {
            resources.add(named(Type.TOPIC, name));
        }
        for (String name : List.of("1", "01", "+1", "001")) {
            resources.add(named(Type.BROKER, name));
        }

        DescribeConfigsResponseData answer = broker.send(
                ApiKeys.DESCRIBE_CONFIGS,
                new DescribeConfigsRequestData().setResources(resources),
                DescribeConfigsResponseData.class);

        assertThat(answer.results())
                .extracting(DescribeConfigsResult::resourceName)
                .containsExactly("t", "1");
    }

    @Test
    void more_settings_than_an_answer_may_have_are_refused() {
        List<DescribeConfigsResource> resources = new ArrayList<>();
        for (int i = 0; i < DescribeConfigsHandler.ENTRIES_MAX / 20; i++) {
            resources.add(named(Type.GROUP, "g" + i));
        }

        DescribeConfigsResponseData answer = broker.send(
                ApiKeys.DESCRIBE_CONFIGS,
                new DescribeConfigsRequestData().setResources(resources),
                DescribeConfigsResponseData.class);

        assertThat(answer.results())
                .hasSameSizeAs(resources)
                .allMatch(result -> result.errorCode() == Errors.INVALID_REQUEST.code());
    }

    private static DescribeConfigsResource named(Type type, String name) {
        return new DescribeConfigsResource()
                .setResourceType(type.id())
                .setResourceName(name)
                .setConfigurationKeys(null);
    }
}
