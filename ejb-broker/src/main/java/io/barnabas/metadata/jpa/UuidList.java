package io.barnabas.metadata.jpa;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/** Ids of directories as one column, in Kafka's base64 form, parted by commas. */
@Converter
public class UuidList implements AttributeConverter<List<Uuid>, String> {
    @Override
    public String convertToDatabaseColumn(List<Uuid> ids) {
        return ids.stream().map(Uuid::toString).collect(Collectors.joining(","));
    }

    @Override
    public List<Uuid> convertToEntityAttribute(String column) {
        return column.isEmpty()
                ? List.of()
                : Arrays.stream(column.split(",", -1)).map(Uuid::fromString).toList();
    }
}
