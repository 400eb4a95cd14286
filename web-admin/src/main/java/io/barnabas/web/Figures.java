package io.barnabas.web;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Locale;

/** Writes numbers as people read them; the pages call it. */
@Named
@ApplicationScoped
public class Figures {
    private static final String[] BYTE_UNITS = {"B", "KB", "MB", "GB", "TB", "PB"};

    /** Bytes with a unit of 1,024 steps: 1.5 MB. A negative number is unknown: a dash. */
    public String bytes(double bytes) {
        if (bytes < 0) {
            return "–";
        }
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        String pattern = unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s";
        return String.format(Locale.ROOT, pattern, value, BYTE_UNITS[unit]);
    }

    /** A whole number with thousands apart. A negative number is unknown: a dash. */
    public String count(long count) {
        return count < 0 ? "–" : String.format(Locale.ROOT, "%,d", count);
    }

    /** A rate: one decimal below a hundred. */
    public String rate(double rate) {
        return String.format(Locale.ROOT, rate < 100 && rate > 0 ? "%,.1f" : "%,.0f", rate);
    }

    /** Milliseconds as days, hours, minutes and seconds, the two greatest. */
    public String duration(long ms) {
        long s = ms / 1000;
        if (s < 60) {
            return s + " s";
        }
        if (s < 3600) {
            return s / 60 + " min " + s % 60 + " s";
        }
        if (s < 86_400) {
            return s / 3600 + " h " + s % 3600 / 60 + " min";
        }
        return s / 86_400 + " d " + s % 86_400 / 3600 + " h";
    }
}
