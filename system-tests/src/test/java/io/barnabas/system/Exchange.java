package io.barnabas.system;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.RequestHeader;

/** One frame on a connection of its own, and what the broker made of it. */
final class Exchange {
    enum Outcome {
        ANSWERED,
        CLOSED,
        SILENT
    }

    /** Longer than a loaded machine takes for an answer; only a broker that owes one and is silent lasts it out. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** How long a request that may wait is waited for. */
    private static final Duration GLANCE = Duration.ofMillis(20);

    /** A poll that asks for no more than this is waited for. */
    private static final int SHORT_POLL_MS = 5_000;

    private final Outcome outcome;
    private final byte[] answer;

    private Exchange(Outcome outcome, byte[] answer) {
        this.outcome = outcome;
        this.answer = answer;
    }

    /** Sends the frame under the length of its own. */
    static Exchange of(int port, byte[] frame) throws IOException {
        return of(port, frame.length, frame, mayBeSilent(frame) ? GLANCE : PATIENCE);
    }

    /** Sends the bytes under a length that may be another than theirs. */
    static Exchange of(int port, int length, byte[] bytes) throws IOException {
        return of(port, length, bytes, PATIENCE);
    }

    private static Exchange of(int port, int length, byte[] bytes, Duration patience) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) patience.toMillis());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.write(ByteBuffer.allocate(4 + bytes.length)
                    .putInt(length)
                    .put(bytes)
                    .array());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            return new Exchange(Outcome.ANSWERED, answer);
        } catch (EOFException | SocketException closed) {
            return new Exchange(Outcome.CLOSED, new byte[0]);
        } catch (SocketTimeoutException silent) {
            return new Exchange(Outcome.SILENT, new byte[0]);
        }
    }

    Outcome outcome() {
        return outcome;
    }

    /** The answer, its header included; empty without one. */
    ByteBuffer answer() {
        return ByteBuffer.wrap(answer);
    }

    /** Whether the protocol allows that a frame as long as its length is neither answered nor its connection closed at once. */
    static boolean mayBeSilent(byte[] frame) {
        try {
            ByteBuffer buffer = ByteBuffer.wrap(frame);
            RequestHeader header = RequestHeader.parse(buffer);
            short version = header.apiVersion();
            ByteBufferAccessor body = new ByteBufferAccessor(buffer);
            return switch (header.apiKey()) {
                // acks=0 wants no answer
                case PRODUCE -> new ProduceRequestData(body, version).acks() == 0;
                // long polls last as long as they ask for
                case FETCH -> new FetchRequestData(body, version).maxWaitMs() > SHORT_POLL_MS;
                case SHARE_FETCH -> new ShareFetchRequestData(body, version).maxWaitMs() > SHORT_POLL_MS;
                // these wait for other members of the group, for up to a time-out that the members named
                case JOIN_GROUP, SYNC_GROUP -> true;
                default -> false;
            };
        } catch (RuntimeException noSuchRequest) {
            return false; // what cannot be read is answered with an error or closes its connection
        }
    }
}
