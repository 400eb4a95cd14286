package io.barnabas.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.Status;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.PriorityQueue;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GridFilterTest {
    private record Read(Class<?> serialClass) implements ObjectInputFilter.FilterInfo {
        @Override
        public long arrayLength() {
            return -1;
        }

        @Override
        public long depth() {
            return 1;
        }

        @Override
        public long references() {
            return 1;
        }

        @Override
        public long streamBytes() {
            return 100;
        }
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                String.class,
                HashMap.class,
                PriorityQueue.class,
                InetAddress.class,
                IllegalStateException.class,
                StackTraceElement[].class
            })
    void membersMayDescribeThemselvesAndTellFailures(Class<?> described) {
        assertThat(GridFilter.OF_THE_GRID.checkInput(new Read(described))).isEqualTo(Status.ALLOWED);
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                java.net.URL.class,
                java.rmi.server.UnicastRemoteObject.class,
                java.lang.invoke.SerializedLambda.class,
                javax.management.BadAttributeValueExpException.class,
                Server.class
            })
    void nothingElseIsMadeOfWhatTheySend(Class<?> foreign) {
        assertThat(GridFilter.OF_THE_GRID.checkInput(new Read(foreign))).isEqualTo(Status.REJECTED);
    }
}
