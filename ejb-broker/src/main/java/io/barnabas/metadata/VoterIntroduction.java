package io.barnabas.metadata;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.ratis.thirdparty.io.grpc.CallOptions;
import org.apache.ratis.thirdparty.io.grpc.Channel;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.ServerServiceDefinition;
import org.apache.ratis.thirdparty.io.grpc.stub.ClientCalls;
import org.apache.ratis.thirdparty.io.grpc.stub.ServerCalls;
import org.jspecify.annotations.Nullable;

/**
 * What a voter says of itself when another asks, on the port of the Raft group: who it is, whom it was told to vote with, and which set
 * of voters it belongs to, if it does already. {@link VoterAgreement} asks; every voter answers, also while the group runs. A node without
 * a vote asks there, too, to be given the log.
 *
 * @param configured ids of the nodes in its configuration, ascending
 * @param clusterId of its cluster; empty before it has one
 * @param agreed the voters that its cluster began with, or null
 * @param incarnation of its quorum
 */
record VoterIntroduction(
        int nodeId,
        Uuid directoryId,
        String configured,
        String clusterId,
        @Nullable VoterSet agreed,
        Incarnation incarnation) {
    private static final int BYTES_MAX = 4096;
    private static final int FIELDS = 5;
    private static final long ASK_MS = 1_000;

    private static final MethodDescriptor<byte[], byte[]> METHOD = method("barnabas.Voter", "Introduce");

    /** One question and one answer between voters, bytes as they are, of a bounded number. */
    static MethodDescriptor<byte[], byte[]> method(String service, String name) {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(service, name))
                .setRequestMarshaller(new Bytes())
                .setResponseMarshaller(new Bytes())
                .build();
    }

    /** The service that answers with {@code self}. */
    static ServerServiceDefinition service(Supplier<VoterIntroduction> self) {
        return ServerServiceDefinition.builder("barnabas.Voter")
                .addMethod(METHOD, ServerCalls.asyncUnaryCall((request, observer) -> {
                    observer.onNext(self.get().encode());
                    observer.onCompleted();
                }))
                .build();
    }

    /** Asks. @throws RuntimeException if there is no answer in time, or none that can be read */
    static VoterIntroduction ask(Channel channel, CallOptions options) {
        return decode(ClientCalls.blockingUnaryCall(channel, METHOD, options, new byte[0]));
    }

    /** Asks a node, which has a second to answer; no thread waits. Fails with what came instead. */
    static CompletableFuture<VoterIntroduction> ask(RaftEventLoops network, RatisSettings.Voter node) {
        return network.ask(node, METHOD, new byte[0], ASK_MS).thenApply(VoterIntroduction::decode);
    }

    byte[] encode() {
        return (nodeId + "\n" + directoryId + "\n" + configured + "\n" + clusterId + "\n"
                        + (agreed == null ? "" : agreed) + "\n" + incarnation)
                .getBytes(StandardCharsets.UTF_8);
    }

    static VoterIntroduction decode(byte[] bytes) {
        String[] lines = new String(bytes, StandardCharsets.UTF_8).split("\n", -1);
        if (lines.length < FIELDS) {
            throw new IllegalArgumentException("Not a voter's introduction");
        }
        return new VoterIntroduction(
                Integer.parseInt(lines[0]),
                Uuid.fromString(lines[1]),
                lines[2],
                lines[3],
                lines[4].isEmpty() ? null : VoterSet.parse(lines[4]),
                Incarnation.parse(lines.length > FIELDS ? lines[FIELDS] : ""));
    }

    /** Bytes as they are, of a bounded number. */
    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try (stream) {
                byte[] bytes = stream.readNBytes(BYTES_MAX + 1);
                if (bytes.length > BYTES_MAX) {
                    throw new IllegalArgumentException("A voter's introduction is too long");
                }
                return bytes;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
