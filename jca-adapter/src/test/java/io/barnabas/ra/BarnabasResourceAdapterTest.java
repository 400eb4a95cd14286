package io.barnabas.ra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.barnabas.net.FakeDispatcher;
import io.barnabas.net.RawClient;
import io.barnabas.port.BrokerPort;
import jakarta.ejb.EJBException;
import jakarta.resource.NotSupportedException;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class BarnabasResourceAdapterTest {
    private final AtomicReference<BrokerPort> port = new AtomicReference<>();
    private final FakeDispatcher dispatcher = new FakeDispatcher(FakeDispatcher.settings());
    private final BarnabasResourceAdapter adapter = new BarnabasResourceAdapter();

    private FakeContainer container(int refusals) throws Exception {
        FakeContainer container = new FakeContainer(
                given -> {
                    port.set(given);
                    return dispatcher;
                },
                refusals);
        adapter.start(container);
        return container;
    }

    private int awaitPort() {
        await().until(() -> port.get() != null && port.get().boundPort("PLAINTEXT") > 0);
        return port.get().boundPort("PLAINTEXT");
    }

    @Test
    void the_sockets_open_once_the_application_is_up_and_close_with_it() throws Exception {
        FakeContainer container = container(3);
        BrokerPortActivation activation = new BrokerPortActivation();

        adapter.endpointActivation(container, activation);

        int bound = awaitPort();
        try (RawClient client = new RawClient(bound)) {
            client.send(RawClient.frame(ApiKeys.API_VERSIONS, (short) 3, 5, new ApiVersionsRequestData()));
            assertThat(client.receive().getInt()).isEqualTo(5);
            await().until(() -> container.released.get() == 1);

            adapter.endpointDeactivation(container, activation);

            assertThat(client.closedByServer()).isTrue();
        }
        assertThat(dispatcher.closed).isTrue();
        assertThatThrownBy(() -> new RawClient(bound)).isInstanceOf(IOException.class);
    }

    @Test
    void a_bean_whose_own_beans_are_not_up_yet_is_rung_again() throws Exception {
        // Given a bean that says for a while that others are not up
        AtomicInteger refusals = new AtomicInteger(3);
        FakeContainer container = new FakeContainer(
                given -> {
                    if (refusals.getAndDecrement() > 0) {
                        return null;
                    }
                    port.set(given);
                    return dispatcher;
                },
                0);
        adapter.start(container);

        // When the bean is activated
        adapter.endpointActivation(container, new BrokerPortActivation());

        // Then the broker starts all the same
        assertThat(awaitPort()).isPositive();
        adapter.stop();
    }

    @Test
    void a_broker_that_cannot_start_is_not_rung_again() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        FakeContainer container = new FakeContainer(
                given -> {
                    calls.incrementAndGet();
                    throw new EJBException("a bean's failure", new IllegalStateException("a value is not allowed"));
                },
                0);
        adapter.start(container);

        adapter.endpointActivation(container, new BrokerPortActivation());

        await().until(() -> container.released.get() == 1);
        adapter.stop();
        assertThat(calls).hasValue(1);
    }

    @Test
    void a_stop_closes_what_is_still_open() throws Exception {
        adapter.endpointActivation(container(0), new BrokerPortActivation());
        awaitPort();

        adapter.stop();

        assertThat(dispatcher.closed).isTrue();
        assertThat(port.get().boundPort("PLAINTEXT")).isEqualTo(-1);
    }

    @Test
    void ten_redeployments_leave_no_thread_behind() throws Exception {
        Set<Thread> before = ownThreads();
        for (int i = 0; i < 10; i++) {
            port.set(null);
            FakeContainer container = container(0);
            BrokerPortActivation activation = new BrokerPortActivation();
            adapter.endpointActivation(container, activation);
            awaitPort();
            adapter.endpointDeactivation(container, activation);
        }
        await().untilAsserted(() -> assertThat(ownThreads()).isSubsetOf(before));
    }

    @Test
    void a_deactivation_ends_the_wait_for_an_application_that_never_comes_up() throws Exception {
        FakeContainer container = container(Integer.MAX_VALUE);
        BrokerPortActivation activation = new BrokerPortActivation();
        adapter.endpointActivation(container, activation);

        adapter.endpointDeactivation(container, activation);

        await().until(() -> ownThreads().isEmpty());
        assertThat(port.get()).isNull();
    }

    @Test
    void a_port_in_use_leaves_nothing_open() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            AtomicInteger closes = new AtomicInteger();
            FakeDispatcher refused = new FakeDispatcher(FakeDispatcher.settingsOn(taken.getLocalPort())) {
                @Override
                public void close() {
                    closes.incrementAndGet();
                }
            };
            try (StandalonePort alone = new StandalonePort(BarnabasResourceAdapter::openLogs)) {
                assertThatThrownBy(() -> alone.open(given -> refused))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("PLAINTEXT")
                        .hasMessageContaining(String.valueOf(taken.getLocalPort()));
            }
            assertThat(closes).hasValue(1);
        }
    }

    @Test
    void an_activation_of_another_kind_is_refused_and_recovery_finds_no_resources() throws Exception {
        FakeContainer container = container(0);
        assertThatThrownBy(() -> adapter.endpointActivation(container, new OtherActivation()))
                .isInstanceOf(NotSupportedException.class);
        assertThat(adapter.getXAResources(new jakarta.resource.spi.ActivationSpec[0]))
                .isEmpty();
    }

    /** Of no interest to the doorbell. */
    static final class OtherActivation implements jakarta.resource.spi.ActivationSpec {
        @Override
        public void validate() {}

        @Override
        public jakarta.resource.spi.ResourceAdapter getResourceAdapter() {
            return new BarnabasResourceAdapter();
        }

        @Override
        public void setResourceAdapter(jakarta.resource.spi.ResourceAdapter adapter) {}
    }

    private static Set<Thread> ownThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("barnabas")
                        || thread.getName().startsWith("fake-work")
                        || thread.getName().startsWith("globalEventExecutor"))
                .collect(Collectors.toSet());
    }
}
