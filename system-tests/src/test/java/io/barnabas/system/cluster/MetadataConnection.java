package io.barnabas.system.cluster;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

/** Asks one node, and no other, what it knows of topics; a client would ask whichever node it likes. Used by one thread. */
final class MetadataConnection implements AutoCloseable {
    private static final ApiKeys API = ApiKeys.METADATA;
    private static final short VERSION = 12;
    private static final int PATIENCE_MS = 30_000;

    private final Socket socket;
    private int correlationId;

    MetadataConnection(Place node) throws IOException {
        socket = new Socket(node.host(), node.ports().clients());
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MS);
    }

    /** What the node says of these topics. */
    MetadataResponseData ask(List<String> topics) throws IOException {
        ByteBuffer header = MessageUtil.toByteBufferAccessor(
                        new RequestHeaderData()
                                .setRequestApiKey(API.id)
                                .setRequestApiVersion(VERSION)
                                .setClientId("metadata-connection")
                                .setCorrelationId(correlationId++),
                        API.requestHeaderVersion(VERSION))
                .buffer();
        ByteBuffer body = MessageUtil.toByteBufferAccessor(
                        new MetadataRequestData()
                                .setAllowAutoTopicCreation(false)
                                .setTopics(topics.stream()
                                        .map(topic -> new MetadataRequestData.MetadataRequestTopic().setName(topic))
                                        .toList()),
                        VERSION)
                .buffer();
        ByteBuffer frame = ByteBuffer.allocate(4 + header.remaining() + body.remaining());
        frame.putInt(header.remaining() + body.remaining()).put(header).put(body);
        socket.getOutputStream().write(frame.array());
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] answer = new byte[in.readInt()];
        in.readFully(answer);
        ByteBufferAccessor reader = new ByteBufferAccessor(ByteBuffer.wrap(answer));
        new ResponseHeaderData(reader, API.responseHeaderVersion(VERSION));
        return new MetadataResponseData(reader, VERSION);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
