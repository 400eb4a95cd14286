package io.barnabas.metadata;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.zip.CRC32C;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * The whole metadata at one index, as bytes: a magic number, the index, the cluster's id, the length and the CRC-32C of one
 * {@link MetadataEntry} with the records, and that entry. Whoever reads one that is cut or damaged is told so.
 *
 * @param index of the last entry in it that took effect
 */
record MetadataSnapshot(long index, String clusterId, List<ApiMessage> records) {
    private static final int MAGIC = 0x424E4253;

    void writeTo(OutputStream out) throws IOException {
        byte[] body = new MetadataEntry(index, records).encode(Integer.MAX_VALUE - 64);
        DataOutputStream data = new DataOutputStream(out);
        data.writeInt(MAGIC);
        data.writeLong(index);
        data.writeUTF(clusterId);
        data.writeInt(body.length);
        data.writeInt(crc(body));
        data.write(body);
        data.flush();
    }

    static MetadataSnapshot readFrom(InputStream in) throws IOException {
        DataInputStream data = new DataInputStream(in);
        if (data.readInt() != MAGIC) {
            throw new IOException("Not a metadata snapshot");
        }
        long index = data.readLong();
        String clusterId = data.readUTF();
        int length = data.readInt();
        int crc = data.readInt();
        byte[] body = length < 0 ? new byte[0] : data.readNBytes(length);
        if (body.length != length || crc(body) != crc) {
            throw new IOException("The metadata snapshot at index " + index + " is damaged");
        }
        try {
            return new MetadataSnapshot(
                    index, clusterId, MetadataEntry.decode(body).records());
        } catch (ApiException e) {
            throw new IOException("The metadata snapshot at index " + index + " cannot be read", e);
        }
    }

    private static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
