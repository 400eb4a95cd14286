package io.barnabas.ejb;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** A broker without a container in a process of its own, for measurements: {@code DIRECTORY PORT [key=value ...]}; ends with SIGTERM. */
public final class EmbeddedBrokerMain {
    private EmbeddedBrokerMain() {}

    public static void main(String[] args) throws InterruptedException {
        Map<String, String> config = new HashMap<>();
        for (int i = 2; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            config.put(pair[0], pair[1]);
        }
        CountDownLatch ended = new CountDownLatch(1);
        EmbeddedBroker broker = EmbeddedBroker.start(Path.of(args[0]), Integer.parseInt(args[1]), config);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            broker.close();
            ended.countDown();
        }));
        ended.await();
    }
}
