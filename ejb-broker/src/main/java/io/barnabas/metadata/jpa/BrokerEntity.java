package io.barnabas.metadata.jpa;

import io.barnabas.metadata.BrokerImage;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A registered broker; endpoints and features are text, an item a line, its fields parted by blanks. */
@Entity
@Table(name = "broker")
public class BrokerEntity {
    @Id
    @Column(name = "broker_id")
    private int id;

    private long epoch;

    @Column(name = "incarnation_id")
    private String incarnationId = "";

    private String endpoints = "";
    private @Nullable String rack;
    private boolean fenced;

    @Column(name = "in_controlled_shutdown")
    private boolean inControlledShutdown;

    @Convert(converter = UuidList.class)
    @Column(name = "log_dirs")
    private List<Uuid> logDirs = List.of();

    @Convert(converter = UuidList.class)
    @Column(name = "cordoned_dirs")
    private List<Uuid> cordonedDirs = List.of();

    private String features = "";

    protected BrokerEntity() {}

    BrokerEntity(BrokerImage image) {
        id = image.id();
        epoch = image.epoch();
        incarnationId = image.incarnationId().toString();
        endpoints = image.endpoints().stream()
                .map(e -> String.join(
                        " ", e.listener(), e.host(), Integer.toString(e.port()), Short.toString(e.securityProtocol())))
                .collect(Collectors.joining("\n"));
        rack = image.rack();
        fenced = image.fenced();
        inControlledShutdown = image.inControlledShutdown();
        logDirs = image.logDirs();
        cordonedDirs = image.cordonedDirs();
        features = image.features().entrySet().stream()
                .map(f -> f.getKey() + " " + f.getValue().min() + " "
                        + f.getValue().max())
                .collect(Collectors.joining("\n"));
    }

    public int id() {
        return id;
    }

    /** The broker as an image has it. */
    public BrokerImage image() {
        List<BrokerImage.Endpoint> parsedEndpoints = new ArrayList<>();
        for (String[] fields : lines(endpoints)) {
            parsedEndpoints.add(new BrokerImage.Endpoint(
                    fields[0], fields[1], Integer.parseInt(fields[2]), Short.parseShort(fields[3])));
        }
        Map<String, BrokerImage.FeatureRange> parsedFeatures = new TreeMap<>();
        for (String[] fields : lines(features)) {
            parsedFeatures.put(
                    fields[0], new BrokerImage.FeatureRange(Short.parseShort(fields[1]), Short.parseShort(fields[2])));
        }
        return new BrokerImage(
                id,
                epoch,
                Uuid.fromString(incarnationId),
                List.copyOf(parsedEndpoints),
                rack,
                fenced,
                inControlledShutdown,
                logDirs,
                cordonedDirs,
                parsedFeatures);
    }

    private static List<String[]> lines(String text) {
        return text.lines().map(line -> line.split(" ", -1)).toList();
    }
}
