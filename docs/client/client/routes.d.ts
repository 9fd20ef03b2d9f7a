// Written by `bun run openapi` from edge/client.ts; a change here is lost.
export type Routes = {
    "/api/alerts": {
        $get: {
            input: {
                query?: {
                    severity?: "critical" | "info" | "warning" | undefined;
                    ruleId?: string | undefined;
                    app?: string | undefined;
                    environment?: string | undefined;
                    model?: string | undefined;
                    element?: "input" | "output" | "pair" | undefined;
                    metric?: string | undefined;
                    interactionId?: string | undefined;
                    importId?: string | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                    interaction_id?: string | undefined;
                    state?: string | string[] | undefined;
                    isImported?: "false" | "true" | undefined;
                    scope?: "house" | "own" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        ruleId: string | null;
                        ruleName: string;
                        severity: "critical" | "info" | "warning";
                        state: "acknowledged" | "open" | "resolved";
                        app: string | null;
                        environment: string | null;
                        model: string | null;
                        element: "input" | "output" | "pair" | null;
                        metric: string | null;
                        value: number | null;
                        score: number | null;
                        evidence: {
                            type: "above" | "below" | "missing" | "outlier" | "rate";
                            explanation: string;
                            bound: number | null;
                            side: "high" | "low" | null;
                            quietThreshold: number | null;
                            method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | null;
                            sensitivity: number | null;
                            centre: number | null;
                            spread: number | null;
                            scale: "linear" | "log" | null;
                            low: number | null;
                            high: number | null;
                            historyCount: number | null;
                            windowMinutes: number | null;
                            interactionIds: string[];
                        };
                        count: number;
                        firstSeenAt: string;
                        lastSeenAt: string;
                        openedAt: string;
                        begunAt: string;
                        acknowledgedAt: string | null;
                        acknowledgedBy: string | null;
                        resolvedAt: string | null;
                        resolution: "by-hand" | "forgotten" | "imported" | "quiet" | "rule-changed" | null;
                        resolvedBy: string | null;
                        reopened: number;
                        isFlapping: boolean;
                        isSilenced: boolean;
                        notifiedAt: string | null;
                        notifications: number;
                        importId: string | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/alerts/:id": {
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    ruleId: string | null;
                    ruleName: string;
                    severity: "critical" | "info" | "warning";
                    state: "acknowledged" | "open" | "resolved";
                    app: string | null;
                    environment: string | null;
                    model: string | null;
                    element: "input" | "output" | "pair" | null;
                    metric: string | null;
                    value: number | null;
                    score: number | null;
                    evidence: {
                        type: "above" | "below" | "missing" | "outlier" | "rate";
                        explanation: string;
                        bound: number | null;
                        side: "high" | "low" | null;
                        quietThreshold: number | null;
                        method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | null;
                        sensitivity: number | null;
                        centre: number | null;
                        spread: number | null;
                        scale: "linear" | "log" | null;
                        low: number | null;
                        high: number | null;
                        historyCount: number | null;
                        windowMinutes: number | null;
                        interactionIds: string[];
                    };
                    count: number;
                    firstSeenAt: string;
                    lastSeenAt: string;
                    openedAt: string;
                    begunAt: string;
                    acknowledgedAt: string | null;
                    acknowledgedBy: string | null;
                    resolvedAt: string | null;
                    resolution: "by-hand" | "forgotten" | "imported" | "quiet" | "rule-changed" | null;
                    resolvedBy: string | null;
                    reopened: number;
                    isFlapping: boolean;
                    isSilenced: boolean;
                    notifiedAt: string | null;
                    notifications: number;
                    importId: string | null;
                    firings: {
                        items: {
                            interactionId: string;
                            occurredAt: string;
                            value: number;
                            score: number | null;
                            app: string;
                            environment: string | null;
                            model: string | null;
                            sessionId: string | null;
                            input: string;
                            output: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
        };
    };
    "/api/alerts/:id/acknowledgement": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    ruleId: string | null;
                    ruleName: string;
                    severity: "critical" | "info" | "warning";
                    state: "acknowledged" | "open" | "resolved";
                    app: string | null;
                    environment: string | null;
                    model: string | null;
                    element: "input" | "output" | "pair" | null;
                    metric: string | null;
                    value: number | null;
                    score: number | null;
                    evidence: {
                        type: "above" | "below" | "missing" | "outlier" | "rate";
                        explanation: string;
                        bound: number | null;
                        side: "high" | "low" | null;
                        quietThreshold: number | null;
                        method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | null;
                        sensitivity: number | null;
                        centre: number | null;
                        spread: number | null;
                        scale: "linear" | "log" | null;
                        low: number | null;
                        high: number | null;
                        historyCount: number | null;
                        windowMinutes: number | null;
                        interactionIds: string[];
                    };
                    count: number;
                    firstSeenAt: string;
                    lastSeenAt: string;
                    openedAt: string;
                    begunAt: string;
                    acknowledgedAt: string | null;
                    acknowledgedBy: string | null;
                    resolvedAt: string | null;
                    resolution: "by-hand" | "forgotten" | "imported" | "quiet" | "rule-changed" | null;
                    resolvedBy: string | null;
                    reopened: number;
                    isFlapping: boolean;
                    isSilenced: boolean;
                    notifiedAt: string | null;
                    notifications: number;
                    importId: string | null;
                };
            };
        };
    };
    "/api/alerts/:id/firings": {
        $get: {
            input: {
                param: {
                    id: string;
                };
                query?: {
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        interactionId: string;
                        occurredAt: string;
                        value: number;
                        score: number | null;
                        app: string;
                        environment: string | null;
                        model: string | null;
                        sessionId: string | null;
                        input: string;
                        output: string;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/alerts/:id/resolution": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    ruleId: string | null;
                    ruleName: string;
                    severity: "critical" | "info" | "warning";
                    state: "acknowledged" | "open" | "resolved";
                    app: string | null;
                    environment: string | null;
                    model: string | null;
                    element: "input" | "output" | "pair" | null;
                    metric: string | null;
                    value: number | null;
                    score: number | null;
                    evidence: {
                        type: "above" | "below" | "missing" | "outlier" | "rate";
                        explanation: string;
                        bound: number | null;
                        side: "high" | "low" | null;
                        quietThreshold: number | null;
                        method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | null;
                        sensitivity: number | null;
                        centre: number | null;
                        spread: number | null;
                        scale: "linear" | "log" | null;
                        low: number | null;
                        high: number | null;
                        historyCount: number | null;
                        windowMinutes: number | null;
                        interactionIds: string[];
                    };
                    count: number;
                    firstSeenAt: string;
                    lastSeenAt: string;
                    openedAt: string;
                    begunAt: string;
                    acknowledgedAt: string | null;
                    acknowledgedBy: string | null;
                    resolvedAt: string | null;
                    resolution: "by-hand" | "forgotten" | "imported" | "quiet" | "rule-changed" | null;
                    resolvedBy: string | null;
                    reopened: number;
                    isFlapping: boolean;
                    isSilenced: boolean;
                    notifiedAt: string | null;
                    notifications: number;
                    importId: string | null;
                };
            };
        };
    };
    "/api/alerts/acknowledgements": {
        $post: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    severity?: "critical" | "info" | "warning" | undefined;
                    ruleId?: string | undefined;
                    app?: string | undefined;
                    environment?: string | undefined;
                    model?: string | undefined;
                    element?: "input" | "output" | "pair" | undefined;
                    metric?: string | undefined;
                    interactionId?: string | undefined;
                    importId?: string | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                    ids?: string[] | undefined;
                };
            };
            answers: {
                200: {
                    changed: number;
                    hasMore: boolean;
                };
            };
        };
    };
    "/api/alerts/resolutions": {
        $post: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    severity?: "critical" | "info" | "warning" | undefined;
                    ruleId?: string | undefined;
                    app?: string | undefined;
                    environment?: string | undefined;
                    model?: string | undefined;
                    element?: "input" | "output" | "pair" | undefined;
                    metric?: string | undefined;
                    interactionId?: string | undefined;
                    importId?: string | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                    ids?: string[] | undefined;
                };
            };
            answers: {
                200: {
                    changed: number;
                    hasMore: boolean;
                };
            };
        };
    };
    "/api/alerts/silences": {
        $get: {
            input: {
                query?: {
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                    scope?: "house" | "own" | undefined;
                    openOnly?: "false" | "true" | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        ruleId: string | null;
                        app: string | null;
                        environment: string | null;
                        model: string | null;
                        severityMax: "critical" | "info" | "warning" | null;
                        reason: string;
                        startsAt: string;
                        endsAt: string;
                        isRunning: boolean;
                        createdAt: string;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
        $post: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    ruleId?: string | null | undefined;
                    app?: string | null | undefined;
                    environment?: string | null | undefined;
                    model?: string | null | undefined;
                    severityMax?: "critical" | "info" | "warning" | null | undefined;
                    reason?: string | undefined;
                    startsAt?: string | undefined;
                    endsAt?: string | undefined;
                    minutes?: number | undefined;
                };
            };
            answers: {
                201: {
                    id: string;
                    ownerId: string | null;
                    ruleId: string | null;
                    app: string | null;
                    environment: string | null;
                    model: string | null;
                    severityMax: "critical" | "info" | "warning" | null;
                    reason: string;
                    startsAt: string;
                    endsAt: string;
                    isRunning: boolean;
                    createdAt: string;
                };
            };
        };
    };
    "/api/alerts/silences/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
    };
    "/api/gpu-stats": {
        $get: {
            input: {
                query?: {
                    minutes?: string | number | undefined;
                };
            };
            answers: {
                200: {
                    source: "none" | "nvidia-smi" | "nvml";
                    items: {
                        memoryUsedBytes: number | null;
                        gpuPercent: number | null;
                        memoryPercent: number | null;
                        temperatureCelsius: number | null;
                        powerWatts: number | null;
                        index: number;
                        uuid: string;
                        name: string;
                        driver: string | null;
                        memoryTotalBytes: number | null;
                        host: string;
                        lastSeenAt: string;
                        isStale: boolean;
                        history: {
                            memoryUsedBytes: number | null;
                            gpuPercent: number | null;
                            memoryPercent: number | null;
                            temperatureCelsius: number | null;
                            powerWatts: number | null;
                            at: string;
                        }[];
                    }[];
                    supervisors: {
                        id: string;
                        host: string;
                        gpuSource: "none" | "nvidia-smi" | "nvml";
                        gpuNote: string;
                        deviceNote: string;
                        slots: {
                            slot: string;
                            device: string;
                            state: "crash-looping" | "ended" | "running" | "starting" | "waiting";
                            deaths: number;
                            lastEnd: string | null;
                        }[];
                        startedAt: string;
                        lastSeenAt: string;
                        isStale: boolean;
                    }[];
                };
            };
        };
    };
    "/api/health": {
        $get: {
            input: {};
            answers: {
                200: {
                    isAlive: true;
                };
            };
        };
    };
    "/api/images": {
        $get: {
            input: {
                query?: {
                    takenAfter?: string | undefined;
                    takenBefore?: string | undefined;
                    addedAfter?: string | undefined;
                    addedBefore?: string | undefined;
                    orientation?: "landscape" | "portrait" | "square" | undefined;
                    camera?: string | undefined;
                    keyword?: string | string[] | undefined;
                    colour?: "black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow" | ("black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow")[] | undefined;
                    hasPlace?: "false" | "true" | undefined;
                    name?: string | undefined;
                    scope?: "all" | "own" | "public" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
        $post: {
            input: {
                form: {
                    file: Blob | File;
                    name?: string | number | undefined;
                    title?: string | number | undefined;
                    keywords?: string | string[] | undefined;
                };
            } | {
                json: {
                    title?: string | undefined;
                    keywords?: string[] | undefined;
                    name: string;
                    mediaType: string;
                    sizeBytes: number;
                };
            };
            answers: {
                201: {
                    image: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    };
                    upload: {
                        url: string;
                        token: string;
                        path: string;
                        expiresAt: string;
                    };
                };
                202: {
                    image: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    };
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/images/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
        $patch: {
            input: {
                param: {
                    id: string;
                };
                json: {
                    name?: string | undefined;
                    title?: string | null | undefined;
                    keywords?: string[] | undefined;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
    };
    "/api/images/:id/completion": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    image: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    };
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/images/:id/publication": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
        $put: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
    };
    "/api/images/:id/similar": {
        $get: {
            input: {
                param: {
                    id: string;
                };
                query?: {
                    takenAfter?: string | undefined;
                    takenBefore?: string | undefined;
                    addedAfter?: string | undefined;
                    addedBefore?: string | undefined;
                    orientation?: "landscape" | "portrait" | "square" | undefined;
                    camera?: string | undefined;
                    keyword?: string | string[] | undefined;
                    colour?: "black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow" | ("black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow")[] | undefined;
                    hasPlace?: "false" | "true" | undefined;
                    scope?: "all" | "own" | "public" | undefined;
                    fold?: "duplicates" | "none" | "similar" | undefined;
                    matchesOnly?: "false" | "true" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                    minus?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                        score: number;
                        similarity: number | null;
                        isMatch: boolean | null;
                        matchedWords: boolean;
                        duplicates: string[];
                    }[];
                    nextCursor: string | null;
                    method: "fused" | "keywords" | "vectors";
                    space: string | null;
                    reason: string | null;
                    nothingMatches: boolean;
                    calibration: {
                        threshold: number;
                        falsePositiveRate: number;
                    } | null;
                };
            };
        };
    };
    "/api/images/recall": {
        $get: {
            input: {};
            answers: {
                200: {
                    k: 10;
                    items: {
                        space: string;
                        filterClass: string;
                        path: "exact" | "index";
                        lastDay: {
                            searches: number;
                            recall: number;
                            lowerBound: number;
                            worst: number;
                            servedMs: number;
                            exactMs: number;
                            measuredAt: string;
                        } | null;
                        lastWeek: {
                            searches: number;
                            recall: number;
                            lowerBound: number;
                            worst: number;
                            servedMs: number;
                            exactMs: number;
                            measuredAt: string;
                        };
                    }[];
                };
            };
        };
    };
    "/api/images/search": {
        $get: {
            input: {
                query?: {
                    takenAfter?: string | undefined;
                    takenBefore?: string | undefined;
                    addedAfter?: string | undefined;
                    addedBefore?: string | undefined;
                    orientation?: "landscape" | "portrait" | "square" | undefined;
                    camera?: string | undefined;
                    keyword?: string | string[] | undefined;
                    colour?: "black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow" | ("black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow")[] | undefined;
                    hasPlace?: "false" | "true" | undefined;
                    scope?: "all" | "own" | "public" | undefined;
                    fold?: "duplicates" | "none" | "similar" | undefined;
                    matchesOnly?: "false" | "true" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                    q?: string | undefined;
                    picture?: string | undefined;
                    minus?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                        score: number;
                        similarity: number | null;
                        isMatch: boolean | null;
                        matchedWords: boolean;
                        duplicates: string[];
                    }[];
                    nextCursor: string | null;
                    method: "fused" | "keywords" | "vectors";
                    space: string | null;
                    reason: string | null;
                    nothingMatches: boolean;
                    calibration: {
                        threshold: number;
                        falsePositiveRate: number;
                    } | null;
                };
            };
        };
        $post: {
            input: {
                query?: {
                    takenAfter?: string | undefined;
                    takenBefore?: string | undefined;
                    addedAfter?: string | undefined;
                    addedBefore?: string | undefined;
                    orientation?: "landscape" | "portrait" | "square" | undefined;
                    camera?: string | undefined;
                    keyword?: string | string[] | undefined;
                    colour?: "black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow" | ("black" | "blue" | "brown" | "green" | "grey" | "orange" | "pink" | "purple" | "red" | "white" | "yellow")[] | undefined;
                    hasPlace?: "false" | "true" | undefined;
                    scope?: "all" | "own" | "public" | undefined;
                    fold?: "duplicates" | "none" | "similar" | undefined;
                    matchesOnly?: "false" | "true" | undefined;
                    limit?: string | number | undefined;
                    minus?: string | undefined;
                };
                form: {
                    file: Blob | File;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                        score: number;
                        similarity: number | null;
                        isMatch: boolean | null;
                        matchedWords: boolean;
                        duplicates: string[];
                    }[];
                    nextCursor: string | null;
                    method: "fused" | "keywords" | "vectors";
                    space: string | null;
                    reason: string | null;
                    nothingMatches: boolean;
                    calibration: {
                        threshold: number;
                        falsePositiveRate: number;
                    } | null;
                    picture: string;
                };
            };
        };
    };
    "/api/interactions": {
        $get: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                    app?: string | undefined;
                    environment?: string | undefined;
                    model?: string | undefined;
                    provider?: string | undefined;
                    tag?: string | string[] | undefined;
                    sessionId?: string | undefined;
                    userLabel?: string | undefined;
                    importId?: string | undefined;
                    q?: string | undefined;
                    metric?: string | string[] | undefined;
                    hasAlert?: "false" | "true" | undefined;
                    ruleId?: string | undefined;
                    order?: "-occurredAt" | "occurredAt" | undefined;
                    texts?: "full" | "none" | "preview" | undefined;
                    previewLength?: string | number | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        app: string;
                        environment: string | null;
                        sessionId: string | null;
                        userLabel: string | null;
                        provider: string | null;
                        model: string | null;
                        input: string;
                        output: string;
                        inputTokens: number | null;
                        outputTokens: number | null;
                        latencyMs: number | null;
                        costUsd: number | null;
                        tags: string[];
                        occurredAt: string;
                        createdAt: string;
                        inputLanguage: string | null;
                        outputLanguage: string | null;
                        metrics: {
                            [x: string]: number;
                        };
                        importId: string | null;
                        alerts: {
                            alertId: string;
                            ruleId: string | null;
                            ruleName: string;
                            severity: "critical" | "info" | "warning";
                            state: "acknowledged" | "open" | "resolved";
                            element: "input" | "output" | "pair" | null;
                            metric: string | null;
                            value: number;
                            score: number | null;
                        }[];
                        inputIsCut: boolean;
                        outputIsCut: boolean;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
        $post: {
            input: {
                json: {
                    input: string;
                    output: string;
                    app?: string | undefined;
                    environment?: string | undefined;
                    sessionId?: string | undefined;
                    userLabel?: string | undefined;
                    provider?: string | undefined;
                    model?: string | undefined;
                    inputTokens?: number | undefined;
                    outputTokens?: number | undefined;
                    latencyMs?: number | undefined;
                    costUsd?: number | undefined;
                    tags?: string[] | undefined;
                    occurredAt?: string | undefined;
                } | {
                    items: {
                        input: string;
                        output: string;
                        app?: string | undefined;
                        environment?: string | undefined;
                        sessionId?: string | undefined;
                        userLabel?: string | undefined;
                        provider?: string | undefined;
                        model?: string | undefined;
                        inputTokens?: number | undefined;
                        outputTokens?: number | undefined;
                        latencyMs?: number | undefined;
                        costUsd?: number | undefined;
                        tags?: string[] | undefined;
                        occurredAt?: string | undefined;
                    }[];
                };
            };
            answers: {
                201: {
                    id: string;
                    occurredAt: string;
                    inputLanguage: string | null;
                    outputLanguage: string | null;
                    metrics: {
                        [x: string]: number;
                    };
                    alerts: {
                        alertId: string;
                        ruleId: string | null;
                        ruleName: string;
                        severity: "critical" | "info" | "warning";
                        state: "acknowledged" | "open" | "resolved";
                        element: "input" | "output" | "pair" | null;
                        metric: string | null;
                        value: number;
                        score: number | null;
                    }[];
                } | {
                    items: {
                        id: string;
                        occurredAt: string;
                        inputLanguage: string | null;
                        outputLanguage: string | null;
                        metrics: {
                            [x: string]: number;
                        };
                        alerts: {
                            alertId: string;
                            ruleId: string | null;
                            ruleName: string;
                            severity: "critical" | "info" | "warning";
                            state: "acknowledged" | "open" | "resolved";
                            element: "input" | "output" | "pair" | null;
                            metric: string | null;
                            value: number;
                            score: number | null;
                        }[];
                    }[];
                };
            };
        };
    };
    "/api/interactions/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    app: string;
                    environment: string | null;
                    sessionId: string | null;
                    userLabel: string | null;
                    provider: string | null;
                    model: string | null;
                    input: string;
                    output: string;
                    inputTokens: number | null;
                    outputTokens: number | null;
                    latencyMs: number | null;
                    costUsd: number | null;
                    tags: string[];
                    occurredAt: string;
                    createdAt: string;
                    inputLanguage: string | null;
                    outputLanguage: string | null;
                    metrics: {
                        [x: string]: number;
                    };
                    importId: string | null;
                    alerts: {
                        alertId: string;
                        ruleId: string | null;
                        ruleName: string;
                        severity: "critical" | "info" | "warning";
                        state: "acknowledged" | "open" | "resolved";
                        element: "input" | "output" | "pair" | null;
                        metric: string | null;
                        value: number;
                        score: number | null;
                    }[];
                    session: {
                        before: {
                            id: string;
                            occurredAt: string;
                            model: string | null;
                            input: string;
                            output: string;
                            inputIsCut: boolean;
                            outputIsCut: boolean;
                        }[];
                        after: {
                            id: string;
                            occurredAt: string;
                            model: string | null;
                            input: string;
                            output: string;
                            inputIsCut: boolean;
                            outputIsCut: boolean;
                        }[];
                    } | null;
                };
            };
        };
    };
    "/api/interactions/bulk": {
        $post: {
            input: {
                form: {
                    file: Blob | File;
                    options?: string | undefined;
                };
            };
            answers: {
                202: {
                    id: string;
                    ownerId: string | null;
                    fileName: string;
                    sizeBytes: number | null;
                    options: {
                        format: "auto" | "csv" | "jsonl";
                        delimiter?: "\t" | "," | ";" | "|" | undefined;
                        encoding?: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252" | undefined;
                        mapping: {
                            app?: string | undefined;
                            costUsd?: string | undefined;
                            environment?: string | undefined;
                            input?: string | undefined;
                            inputTokens?: string | undefined;
                            latencyMs?: string | undefined;
                            model?: string | undefined;
                            occurredAt?: string | undefined;
                            output?: string | undefined;
                            outputTokens?: string | undefined;
                            provider?: string | undefined;
                            sessionId?: string | undefined;
                            tags?: string | undefined;
                            userLabel?: string | undefined;
                        };
                        defaults: {
                            app?: string | undefined;
                            environment?: string | undefined;
                            model?: string | undefined;
                            tags?: string[] | undefined;
                        };
                        duplicates: "keep" | "skip";
                    };
                    findings: {
                        format: "csv" | "jsonl";
                        encoding: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252";
                        delimiter: "\t" | "," | ";" | "|" | null;
                        newline: "\n" | "\r";
                        columns: string[];
                        columnsCount: number;
                        mapping: {
                            app?: string | undefined;
                            costUsd?: string | undefined;
                            environment?: string | undefined;
                            input?: string | undefined;
                            inputTokens?: string | undefined;
                            latencyMs?: string | undefined;
                            model?: string | undefined;
                            occurredAt?: string | undefined;
                            output?: string | undefined;
                            outputTokens?: string | undefined;
                            provider?: string | undefined;
                            sessionId?: string | undefined;
                            tags?: string | undefined;
                            userLabel?: string | undefined;
                        };
                    } | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running" | "uploading";
                    jobId: string | null;
                    bytesDone: number;
                    rowsLanded: number;
                    rowsRefused: number;
                    rowsKnown: number;
                    alerts: number;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    createdAt: string;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/interactions/deletions": {
        $post: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    app?: string | undefined;
                    sessionId?: string | undefined;
                    userLabel?: string | undefined;
                    importId?: string | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                };
            };
            answers: {
                202: {
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/interactions/export": {
        $get: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                    app?: string | undefined;
                    environment?: string | undefined;
                    model?: string | undefined;
                    provider?: string | undefined;
                    tag?: string | string[] | undefined;
                    sessionId?: string | undefined;
                    userLabel?: string | undefined;
                    importId?: string | undefined;
                    q?: string | undefined;
                    metric?: string | string[] | undefined;
                    hasAlert?: "false" | "true" | undefined;
                    ruleId?: string | undefined;
                    format?: "csv" | "jsonl" | undefined;
                    order?: "-occurredAt" | "occurredAt" | undefined;
                };
            };
            answers: {
                [-1]: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                100: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                101: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                102: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                103: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                200: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                201: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                202: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                203: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                204: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                205: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                206: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                207: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                208: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                226: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                300: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                301: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                302: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                303: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                304: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                305: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                306: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                307: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                308: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                400: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                401: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                402: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                403: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                404: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                405: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                406: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                407: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                408: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                409: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                410: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                411: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                412: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                413: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                414: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                415: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                416: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                417: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                418: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                421: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                422: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                423: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                424: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                425: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                426: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                428: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                429: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                431: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                451: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                500: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                501: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                502: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                503: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                504: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                505: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                506: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                507: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                508: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                510: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                511: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
            };
        };
    };
    "/api/interactions/imports": {
        $get: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        fileName: string;
                        sizeBytes: number | null;
                        options: {
                            format: "auto" | "csv" | "jsonl";
                            delimiter?: "\t" | "," | ";" | "|" | undefined;
                            encoding?: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252" | undefined;
                            mapping: {
                                app?: string | undefined;
                                costUsd?: string | undefined;
                                environment?: string | undefined;
                                input?: string | undefined;
                                inputTokens?: string | undefined;
                                latencyMs?: string | undefined;
                                model?: string | undefined;
                                occurredAt?: string | undefined;
                                output?: string | undefined;
                                outputTokens?: string | undefined;
                                provider?: string | undefined;
                                sessionId?: string | undefined;
                                tags?: string | undefined;
                                userLabel?: string | undefined;
                            };
                            defaults: {
                                app?: string | undefined;
                                environment?: string | undefined;
                                model?: string | undefined;
                                tags?: string[] | undefined;
                            };
                            duplicates: "keep" | "skip";
                        };
                        findings: {
                            format: "csv" | "jsonl";
                            encoding: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252";
                            delimiter: "\t" | "," | ";" | "|" | null;
                            newline: "\n" | "\r";
                            columns: string[];
                            columnsCount: number;
                            mapping: {
                                app?: string | undefined;
                                costUsd?: string | undefined;
                                environment?: string | undefined;
                                input?: string | undefined;
                                inputTokens?: string | undefined;
                                latencyMs?: string | undefined;
                                model?: string | undefined;
                                occurredAt?: string | undefined;
                                output?: string | undefined;
                                outputTokens?: string | undefined;
                                provider?: string | undefined;
                                sessionId?: string | undefined;
                                tags?: string | undefined;
                                userLabel?: string | undefined;
                            };
                        } | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running" | "uploading";
                        jobId: string | null;
                        bytesDone: number;
                        rowsLanded: number;
                        rowsRefused: number;
                        rowsKnown: number;
                        alerts: number;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        createdAt: string;
                        finishedAt: string | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
        $post: {
            input: {
                json: {
                    fileName: string;
                    sizeBytes: number;
                    options?: {
                        format?: "auto" | "csv" | "jsonl" | undefined;
                        delimiter?: "\t" | "," | ";" | "|" | undefined;
                        encoding?: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252" | undefined;
                        mapping?: {
                            app?: string;
                            costUsd?: string;
                            environment?: string;
                            input?: string;
                            inputTokens?: string;
                            latencyMs?: string;
                            model?: string;
                            occurredAt?: string;
                            output?: string;
                            outputTokens?: string;
                            provider?: string;
                            sessionId?: string;
                            tags?: string;
                            userLabel?: string;
                        } | undefined;
                        defaults?: {
                            app?: string | undefined;
                            environment?: string | undefined;
                            model?: string | undefined;
                            tags?: string[] | undefined;
                        } | undefined;
                        duplicates?: "keep" | "skip" | undefined;
                    } | undefined;
                };
            };
            answers: {
                201: {
                    import: {
                        id: string;
                        ownerId: string | null;
                        fileName: string;
                        sizeBytes: number | null;
                        options: {
                            format: "auto" | "csv" | "jsonl";
                            delimiter?: "\t" | "," | ";" | "|" | undefined;
                            encoding?: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252" | undefined;
                            mapping: {
                                app?: string | undefined;
                                costUsd?: string | undefined;
                                environment?: string | undefined;
                                input?: string | undefined;
                                inputTokens?: string | undefined;
                                latencyMs?: string | undefined;
                                model?: string | undefined;
                                occurredAt?: string | undefined;
                                output?: string | undefined;
                                outputTokens?: string | undefined;
                                provider?: string | undefined;
                                sessionId?: string | undefined;
                                tags?: string | undefined;
                                userLabel?: string | undefined;
                            };
                            defaults: {
                                app?: string | undefined;
                                environment?: string | undefined;
                                model?: string | undefined;
                                tags?: string[] | undefined;
                            };
                            duplicates: "keep" | "skip";
                        };
                        findings: {
                            format: "csv" | "jsonl";
                            encoding: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252";
                            delimiter: "\t" | "," | ";" | "|" | null;
                            newline: "\n" | "\r";
                            columns: string[];
                            columnsCount: number;
                            mapping: {
                                app?: string | undefined;
                                costUsd?: string | undefined;
                                environment?: string | undefined;
                                input?: string | undefined;
                                inputTokens?: string | undefined;
                                latencyMs?: string | undefined;
                                model?: string | undefined;
                                occurredAt?: string | undefined;
                                output?: string | undefined;
                                outputTokens?: string | undefined;
                                provider?: string | undefined;
                                sessionId?: string | undefined;
                                tags?: string | undefined;
                                userLabel?: string | undefined;
                            };
                        } | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running" | "uploading";
                        jobId: string | null;
                        bytesDone: number;
                        rowsLanded: number;
                        rowsRefused: number;
                        rowsKnown: number;
                        alerts: number;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        createdAt: string;
                        finishedAt: string | null;
                    };
                    upload: {
                        path: string;
                        token: string;
                        url: string;
                        expiresAt: string;
                    };
                };
            };
        };
    };
    "/api/interactions/imports/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    fileName: string;
                    sizeBytes: number | null;
                    options: {
                        format: "auto" | "csv" | "jsonl";
                        delimiter?: "\t" | "," | ";" | "|" | undefined;
                        encoding?: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252" | undefined;
                        mapping: {
                            app?: string | undefined;
                            costUsd?: string | undefined;
                            environment?: string | undefined;
                            input?: string | undefined;
                            inputTokens?: string | undefined;
                            latencyMs?: string | undefined;
                            model?: string | undefined;
                            occurredAt?: string | undefined;
                            output?: string | undefined;
                            outputTokens?: string | undefined;
                            provider?: string | undefined;
                            sessionId?: string | undefined;
                            tags?: string | undefined;
                            userLabel?: string | undefined;
                        };
                        defaults: {
                            app?: string | undefined;
                            environment?: string | undefined;
                            model?: string | undefined;
                            tags?: string[] | undefined;
                        };
                        duplicates: "keep" | "skip";
                    };
                    findings: {
                        format: "csv" | "jsonl";
                        encoding: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252";
                        delimiter: "\t" | "," | ";" | "|" | null;
                        newline: "\n" | "\r";
                        columns: string[];
                        columnsCount: number;
                        mapping: {
                            app?: string | undefined;
                            costUsd?: string | undefined;
                            environment?: string | undefined;
                            input?: string | undefined;
                            inputTokens?: string | undefined;
                            latencyMs?: string | undefined;
                            model?: string | undefined;
                            occurredAt?: string | undefined;
                            output?: string | undefined;
                            outputTokens?: string | undefined;
                            provider?: string | undefined;
                            sessionId?: string | undefined;
                            tags?: string | undefined;
                            userLabel?: string | undefined;
                        };
                    } | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running" | "uploading";
                    jobId: string | null;
                    bytesDone: number;
                    rowsLanded: number;
                    rowsRefused: number;
                    rowsKnown: number;
                    alerts: number;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    createdAt: string;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/interactions/imports/:id/completion": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    id: string;
                    ownerId: string | null;
                    fileName: string;
                    sizeBytes: number | null;
                    options: {
                        format: "auto" | "csv" | "jsonl";
                        delimiter?: "\t" | "," | ";" | "|" | undefined;
                        encoding?: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252" | undefined;
                        mapping: {
                            app?: string | undefined;
                            costUsd?: string | undefined;
                            environment?: string | undefined;
                            input?: string | undefined;
                            inputTokens?: string | undefined;
                            latencyMs?: string | undefined;
                            model?: string | undefined;
                            occurredAt?: string | undefined;
                            output?: string | undefined;
                            outputTokens?: string | undefined;
                            provider?: string | undefined;
                            sessionId?: string | undefined;
                            tags?: string | undefined;
                            userLabel?: string | undefined;
                        };
                        defaults: {
                            app?: string | undefined;
                            environment?: string | undefined;
                            model?: string | undefined;
                            tags?: string[] | undefined;
                        };
                        duplicates: "keep" | "skip";
                    };
                    findings: {
                        format: "csv" | "jsonl";
                        encoding: "utf-16be" | "utf-16le" | "utf-8" | "windows-1252";
                        delimiter: "\t" | "," | ";" | "|" | null;
                        newline: "\n" | "\r";
                        columns: string[];
                        columnsCount: number;
                        mapping: {
                            app?: string | undefined;
                            costUsd?: string | undefined;
                            environment?: string | undefined;
                            input?: string | undefined;
                            inputTokens?: string | undefined;
                            latencyMs?: string | undefined;
                            model?: string | undefined;
                            occurredAt?: string | undefined;
                            output?: string | undefined;
                            outputTokens?: string | undefined;
                            provider?: string | undefined;
                            sessionId?: string | undefined;
                            tags?: string | undefined;
                            userLabel?: string | undefined;
                        };
                    } | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running" | "uploading";
                    jobId: string | null;
                    bytesDone: number;
                    rowsLanded: number;
                    rowsRefused: number;
                    rowsKnown: number;
                    alerts: number;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    createdAt: string;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/interactions/imports/:id/refusals": {
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                [-1]: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                100: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                101: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                102: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                103: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                200: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                201: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                202: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                203: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                204: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                205: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                206: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                207: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                208: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                226: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                300: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                301: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                302: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                303: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                304: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                305: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                306: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                307: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                308: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                400: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                401: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                402: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                403: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                404: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                405: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                406: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                407: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                408: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                409: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                410: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                411: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                412: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                413: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                414: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                415: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                416: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                417: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                418: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                421: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                422: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                423: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                424: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                425: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                426: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                428: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                429: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                431: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                451: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                500: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                501: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                502: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                503: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                504: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                505: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                506: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                507: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                508: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                510: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
                511: {
                    readonly body: {
                        readonly locked: boolean;
                        cancel: {};
                        getReader: {};
                        pipeThrough: {};
                        pipeTo: {};
                        tee: {};
                        [Symbol.asyncIterator]: {};
                        values: {};
                    } | null;
                    readonly bodyUsed: boolean;
                    arrayBuffer: {};
                    blob: {};
                    bytes: {};
                    formData: {};
                    json: {};
                    text: {};
                    readonly headers: {
                        append: {};
                        delete: {};
                        get: {};
                        getSetCookie: {};
                        has: {};
                        set: {};
                        forEach: {};
                        [Symbol.iterator]: {};
                        entries: {};
                        keys: {};
                        values: {};
                        toJSON: {};
                        readonly count: number;
                        getAll: {};
                    };
                    readonly ok: boolean;
                    readonly redirected: boolean;
                    readonly status: number;
                    readonly statusText: string;
                    readonly type: ResponseType;
                    readonly url: string;
                    clone: {};
                    textStream: {};
                };
            };
        };
    };
    "/api/interactions/metrics": {
        $get: {
            input: {};
            answers: {
                200: {
                    items: {
                        name: string;
                        elements: ("input" | "output" | "pair")[];
                        unit: "USD" | "characters" | "count" | "flag" | "ms" | "points" | "sentences" | "share" | "tokens" | "tokens/s" | "words";
                        meaning: string;
                        version: number;
                    }[];
                    nextCursor: null;
                };
            };
        };
    };
    "/api/interactions/series": {
        $get: {
            input: {
                query: {
                    metric: string;
                    bucket?: "day" | "hour" | "week" | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                    groupBy?: "app" | "environment" | "model" | "none" | undefined;
                    app?: string | undefined;
                    environment?: string | undefined;
                    model?: string | undefined;
                    scope?: "house" | "own" | undefined;
                };
            };
            answers: {
                200: {
                    metric: string;
                    unit: "USD" | "characters" | "count" | "flag" | "ms" | "points" | "sentences" | "share" | "tokens" | "tokens/s" | "words";
                    bucket: "day" | "hour" | "week";
                    from: string;
                    to: string;
                    groups: {
                        app?: string | undefined;
                        environment?: string | undefined;
                        model?: string | undefined;
                        count: number;
                        points: {
                            at: string;
                            hours: number;
                            count: number;
                            mean: number;
                            deviation: number;
                            min: number;
                            max: number;
                            p50: number;
                            p90: number;
                            p95: number;
                            p99: number;
                        }[];
                    }[];
                    groupsLeftOut: number;
                    foldedAt: string | null;
                    pending: number;
                };
            };
        };
    };
    "/api/interactions/settings": {
        $get: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
            };
            answers: {
                200: {
                    redact: string[];
                    retentionDays: number | null;
                    retentionDaysByApp: {
                        [x: string]: number | null;
                    };
                    alertEmail: string | null;
                    alertEmailSeverityMin: "critical" | "info" | "warning";
                };
            };
        };
        $patch: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    redact?: ("card" | "email" | "key" | "phone")[] | undefined;
                    retentionDays?: number | null | undefined;
                    retentionDaysByApp?: {
                        [x: string]: number | null;
                    } | undefined;
                    alertEmail?: string | null | undefined;
                    alertEmailSeverityMin?: "critical" | "info" | "warning" | undefined;
                };
            };
            answers: {
                200: {
                    redact: string[];
                    retentionDays: number | null;
                    retentionDaysByApp: {
                        [x: string]: number | null;
                    };
                    alertEmail: string | null;
                    alertEmailSeverityMin: "critical" | "info" | "warning";
                };
            };
        };
    };
    "/api/jobs": {
        $get: {
            input: {
                query?: {
                    state?: "cancelled" | "done" | "failed" | "queued" | "running" | undefined;
                    kind?: string | undefined;
                    subjectId?: string | undefined;
                    scope?: "all" | "own" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        kind: string;
                        lane: "bulk" | "interactive";
                        ownerId: string | null;
                        subjectId: string | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                        result: {
                            [x: string]: unknown;
                        } | null;
                        partial: {
                            [x: string]: unknown;
                        } | null;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        attempts: number;
                        attemptsMax: number;
                        leaseLosses: number;
                        runAfter: string;
                        deadlineAt: string | null;
                        cancelRequestedAt: string | null;
                        lastSequence: number;
                        createdAt: string;
                        startedAt: string | null;
                        finishedAt: string | null;
                    }[];
                    nextCursor: string | null;
                    revision: string;
                };
            };
        };
        $post: {
            input: {
                json: {
                    kind: string;
                    payload: {
                        [x: string]: unknown;
                    };
                    ownerId?: string | null | undefined;
                    subjectId?: string | undefined;
                    model?: string | undefined;
                    uniqueKey?: string | undefined;
                    onOpen?: "debounce" | "replace" | "skip" | undefined;
                    delaySeconds?: number | undefined;
                };
            };
            answers: {
                202: {
                    id: string;
                    kind: string;
                    lane: "bulk" | "interactive";
                    ownerId: string | null;
                    subjectId: string | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running";
                    progress: {
                        done: number;
                        total: number | null;
                        message: string | null;
                    };
                    result: {
                        [x: string]: unknown;
                    } | null;
                    partial: {
                        [x: string]: unknown;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    attempts: number;
                    attemptsMax: number;
                    leaseLosses: number;
                    runAfter: string;
                    deadlineAt: string | null;
                    cancelRequestedAt: string | null;
                    lastSequence: number;
                    createdAt: string;
                    startedAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/:id": {
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    kind: string;
                    lane: "bulk" | "interactive";
                    ownerId: string | null;
                    subjectId: string | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running";
                    progress: {
                        done: number;
                        total: number | null;
                        message: string | null;
                    };
                    result: {
                        [x: string]: unknown;
                    } | null;
                    partial: {
                        [x: string]: unknown;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    attempts: number;
                    attemptsMax: number;
                    leaseLosses: number;
                    runAfter: string;
                    deadlineAt: string | null;
                    cancelRequestedAt: string | null;
                    lastSequence: number;
                    createdAt: string;
                    startedAt: string | null;
                    finishedAt: string | null;
                    place: number | null;
                    placeIsAtLeast: boolean;
                    estimatedStartAt: string | null;
                    estimatedEndAt: string | null;
                    reason: string;
                };
            };
        };
    };
    "/api/jobs/:id/cancellation": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    id: string;
                    kind: string;
                    lane: "bulk" | "interactive";
                    ownerId: string | null;
                    subjectId: string | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running";
                    progress: {
                        done: number;
                        total: number | null;
                        message: string | null;
                    };
                    result: {
                        [x: string]: unknown;
                    } | null;
                    partial: {
                        [x: string]: unknown;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    attempts: number;
                    attemptsMax: number;
                    leaseLosses: number;
                    runAfter: string;
                    deadlineAt: string | null;
                    cancelRequestedAt: string | null;
                    lastSequence: number;
                    createdAt: string;
                    startedAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/:id/events": {
        $get: {
            input: {
                param: {
                    id: string;
                };
                query?: {
                    after?: string | number | undefined;
                    limit?: string | number | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        jobId: string;
                        sequence: number;
                        event: "job.cancelled" | "job.cancelling" | "job.done" | "job.failed" | "job.progressed" | "job.queued" | "job.requeued" | "job.retried" | "job.started";
                        kind: string;
                        subjectId: string | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                        partial: {
                            [x: string]: unknown;
                        } | null;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        at: string;
                    }[];
                    nextAfter: number | null;
                };
            };
        };
    };
    "/api/jobs/:id/retry": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    id: string;
                    kind: string;
                    lane: "bulk" | "interactive";
                    ownerId: string | null;
                    subjectId: string | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running";
                    progress: {
                        done: number;
                        total: number | null;
                        message: string | null;
                    };
                    result: {
                        [x: string]: unknown;
                    } | null;
                    partial: {
                        [x: string]: unknown;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    attempts: number;
                    attemptsMax: number;
                    leaseLosses: number;
                    runAfter: string;
                    deadlineAt: string | null;
                    cancelRequestedAt: string | null;
                    lastSequence: number;
                    createdAt: string;
                    startedAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/changes": {
        $get: {
            input: {
                query?: {
                    after?: string | undefined;
                    scope?: "all" | "own" | undefined;
                    limit?: string | number | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        kind: string;
                        lane: "bulk" | "interactive";
                        ownerId: string | null;
                        subjectId: string | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                        result: {
                            [x: string]: unknown;
                        } | null;
                        partial: {
                            [x: string]: unknown;
                        } | null;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        attempts: number;
                        attemptsMax: number;
                        leaseLosses: number;
                        runAfter: string;
                        deadlineAt: string | null;
                        cancelRequestedAt: string | null;
                        lastSequence: number;
                        createdAt: string;
                        startedAt: string | null;
                        finishedAt: string | null;
                    }[];
                    revision: string;
                    hasMore: boolean;
                };
            };
        };
    };
    "/api/jobs/dead-letters": {
        $get: {
            input: {
                query?: {
                    kind?: string | undefined;
                    code?: string | undefined;
                    scope?: "all" | "own" | undefined;
                    ownerId?: string | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        kind: string;
                        lane: "bulk" | "interactive";
                        ownerId: string | null;
                        subjectId: string | null;
                        payload: {
                            [x: string]: unknown;
                        };
                        error: {
                            code: string;
                            message: string;
                        };
                        attempts: number;
                        attemptsMax: number;
                        leaseLosses: number;
                        events: {
                            jobId: string;
                            sequence: number;
                            event: "job.cancelled" | "job.cancelling" | "job.done" | "job.failed" | "job.progressed" | "job.queued" | "job.requeued" | "job.retried" | "job.started";
                            kind: string;
                            subjectId: string | null;
                            state: "cancelled" | "done" | "failed" | "queued" | "running";
                            progress: {
                                done: number;
                                total: number | null;
                                message: string | null;
                            };
                            partial: {
                                [x: string]: unknown;
                            } | null;
                            error: {
                                code: string;
                                message: string;
                            } | null;
                            at: string;
                        }[];
                        createdAt: string;
                        startedAt: string | null;
                        finishedAt: string;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/jobs/dead-letters/redrives": {
        $post: {
            input: {
                json: {
                    kind?: string | undefined;
                    code?: string | undefined;
                    ids?: string[] | undefined;
                    limit?: number | undefined;
                };
            };
            answers: {
                200: {
                    retried: number;
                    refused: {
                        id: string;
                        code: string;
                        message: string;
                    }[];
                    left: number;
                };
            };
        };
    };
    "/api/jobs/schedules": {
        $get: {
            input: {
                query?: {
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        name: string;
                        kind: string;
                        payload: {
                            [x: string]: unknown;
                        };
                        ownerId: string | null;
                        cron: string;
                        timeZone: string;
                        missed: "all" | "once" | "skip";
                        isPaused: boolean;
                        nextAt: string | null;
                        lastAt: string | null;
                        lastJobId: string | null;
                        lastError: string | null;
                        createdAt: string;
                        updatedAt: string;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/jobs/schedules/:name": {
        $delete: {
            input: {
                param: {
                    name: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    name: string;
                };
            };
            answers: {
                200: {
                    name: string;
                    kind: string;
                    payload: {
                        [x: string]: unknown;
                    };
                    ownerId: string | null;
                    cron: string;
                    timeZone: string;
                    missed: "all" | "once" | "skip";
                    isPaused: boolean;
                    nextAt: string | null;
                    lastAt: string | null;
                    lastJobId: string | null;
                    lastError: string | null;
                    createdAt: string;
                    updatedAt: string;
                    nextRuns: string[];
                };
            };
        };
        $put: {
            input: {
                param: {
                    name: string;
                };
                json: {
                    kind: string;
                    payload?: {
                        [x: string]: unknown;
                    } | undefined;
                    ownerId?: string | null | undefined;
                    cron: string;
                    timeZone?: string | undefined;
                    missed?: "all" | "once" | "skip" | undefined;
                    isPaused?: boolean | undefined;
                };
            };
            answers: {
                200: {
                    name: string;
                    kind: string;
                    payload: {
                        [x: string]: unknown;
                    };
                    ownerId: string | null;
                    cron: string;
                    timeZone: string;
                    missed: "all" | "once" | "skip";
                    isPaused: boolean;
                    nextAt: string | null;
                    lastAt: string | null;
                    lastJobId: string | null;
                    lastError: string | null;
                    createdAt: string;
                    updatedAt: string;
                    nextRuns: string[];
                };
                201: {
                    name: string;
                    kind: string;
                    payload: {
                        [x: string]: unknown;
                    };
                    ownerId: string | null;
                    cron: string;
                    timeZone: string;
                    missed: "all" | "once" | "skip";
                    isPaused: boolean;
                    nextAt: string | null;
                    lastAt: string | null;
                    lastJobId: string | null;
                    lastError: string | null;
                    createdAt: string;
                    updatedAt: string;
                    nextRuns: string[];
                };
            };
        };
    };
    "/api/jobs/schedules/:name/runs": {
        $post: {
            input: {
                param: {
                    name: string;
                };
            };
            answers: {
                202: {
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/jobs/shares": {
        $get: {
            input: {
                query?: {
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        ownerId: string;
                        weight: number;
                        queuedMax: number | null;
                        runningMax: number | null;
                        updatedAt: string | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/jobs/shares/:ownerId": {
        $delete: {
            input: {
                param: {
                    ownerId: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    ownerId: string;
                };
            };
            answers: {
                200: {
                    ownerId: string;
                    weight: number;
                    queuedMax: number | null;
                    runningMax: number | null;
                    updatedAt: string | null;
                };
            };
        };
        $put: {
            input: {
                param: {
                    ownerId: string;
                };
                json: {
                    weight?: number | undefined;
                    queuedMax?: number | null | undefined;
                    runningMax?: number | null | undefined;
                };
            };
            answers: {
                200: {
                    ownerId: string;
                    weight: number;
                    queuedMax: number | null;
                    runningMax: number | null;
                    updatedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/shares/me": {
        $get: {
            input: {};
            answers: {
                200: {
                    ownerId: string;
                    weight: number;
                    queuedMax: number | null;
                    runningMax: number | null;
                    updatedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/stats": {
        $get: {
            input: {};
            answers: {
                200: {
                    items: {
                        kind: string;
                        lane: "bulk" | "interactive";
                        queued: number;
                        delayed: number;
                        running: number;
                        oldestWaitSeconds: number | null;
                        deadLetters: number;
                        ended: {
                            done: number;
                            failed: number;
                            cancelled: number;
                        };
                        endedPerMinute: number;
                        leaseLosses: number;
                        waitSeconds: {
                            p50: number;
                            p95: number;
                            p99: number;
                        } | null;
                        runSeconds: {
                            p50: number;
                            p95: number;
                            p99: number;
                        } | null;
                    }[];
                    windowSeconds: number;
                };
            };
        };
    };
    "/api/jobs/ticks": {
        $post: {
            input: {
                query?: {
                    budgetMs?: string | number | undefined;
                    cpuMs?: string | number | undefined;
                    jobsMax?: string | number | undefined;
                };
            };
            answers: {
                200: {
                    added: number;
                    rescued: number;
                    done: number;
                    failed: number;
                    requeued: number;
                };
            };
        };
    };
    "/api/metrics": {
        $get: {
            input: {};
            answers: {
                200: string;
            };
        };
    };
    "/api/openapi.json": {
        $get: {
            input: {};
            answers: {
                200: {
                    [x: string]: unknown;
                };
            };
        };
    };
    "/api/otlp/v1/traces": {
        $post: {
            input: {
                json: {
                    resourceSpans?: unknown[] | null | undefined;
                };
            };
            answers: {
                200: {
                    partialSuccess: {
                        rejectedSpans?: string | undefined;
                        errorMessage?: string | undefined;
                    };
                };
            };
        };
    };
    "/api/ready": {
        $get: {
            input: {};
            answers: {
                200: {
                    isReady: boolean;
                    parts: {
                        database: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        storage: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        sidecar: {
                            isReady: boolean;
                            tookMs: number;
                        };
                    };
                };
                503: {
                    isReady: boolean;
                    parts: {
                        database: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        storage: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        sidecar: {
                            isReady: boolean;
                            tookMs: number;
                        };
                    };
                };
            };
        };
    };
    "/api/rules": {
        $get: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        name: string;
                        isEnabled: boolean;
                        severity: "critical" | "info" | "warning";
                        element: "input" | "output" | "pair" | null;
                        metric: string | null;
                        apps: string[] | null;
                        environments: string[] | null;
                        models: string[] | null;
                        tags: string[] | null;
                        condition: {
                            type: "above" | "below";
                            threshold: number;
                        } | {
                            type: "outlier";
                            method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                            sensitivity?: number | undefined;
                            tails: "both" | "high" | "low";
                            countMin: number;
                            historyDays: number;
                        } | {
                            type: "rate";
                            windowMinutes: number;
                            moreThan: number;
                            above?: number | undefined;
                            below?: number | undefined;
                        } | {
                            type: "missing";
                            windowMinutes: number;
                        };
                        groupBy: ("app" | "environment" | "model")[];
                        renotifyMinutes: number | null;
                        resolveMinutes: number;
                        id: string;
                        ownerId: string | null;
                        createdAt: string;
                        updatedAt: string;
                    }[];
                    nextCursor: null;
                };
            };
        };
        $post: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    name: string;
                    condition: {
                        type: "above" | "below";
                        threshold: number;
                    } | {
                        type: "outlier";
                        method?: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | undefined;
                        sensitivity?: number | undefined;
                        tails?: "both" | "high" | "low" | undefined;
                        countMin?: number | undefined;
                        historyDays?: number | undefined;
                    } | {
                        type: "rate";
                        windowMinutes: number;
                        moreThan: number;
                        above?: number | undefined;
                        below?: number | undefined;
                    } | {
                        type: "missing";
                        windowMinutes: number;
                    };
                    isEnabled?: boolean | undefined;
                    severity?: "critical" | "info" | "warning" | undefined;
                    element?: "input" | "output" | "pair" | null | undefined;
                    metric?: string | null | undefined;
                    apps?: string[] | null | undefined;
                    environments?: string[] | null | undefined;
                    models?: string[] | null | undefined;
                    tags?: string[] | null | undefined;
                    groupBy?: ("app" | "environment" | "model")[] | undefined;
                    renotifyMinutes?: number | null | undefined;
                    resolveMinutes?: number | undefined;
                };
            };
            answers: {
                201: {
                    name: string;
                    isEnabled: boolean;
                    severity: "critical" | "info" | "warning";
                    element: "input" | "output" | "pair" | null;
                    metric: string | null;
                    apps: string[] | null;
                    environments: string[] | null;
                    models: string[] | null;
                    tags: string[] | null;
                    condition: {
                        type: "above" | "below";
                        threshold: number;
                    } | {
                        type: "outlier";
                        method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                        sensitivity?: number | undefined;
                        tails: "both" | "high" | "low";
                        countMin: number;
                        historyDays: number;
                    } | {
                        type: "rate";
                        windowMinutes: number;
                        moreThan: number;
                        above?: number | undefined;
                        below?: number | undefined;
                    } | {
                        type: "missing";
                        windowMinutes: number;
                    };
                    groupBy: ("app" | "environment" | "model")[];
                    renotifyMinutes: number | null;
                    resolveMinutes: number;
                    id: string;
                    ownerId: string | null;
                    createdAt: string;
                    updatedAt: string;
                };
            };
        };
    };
    "/api/rules/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    name: string;
                    isEnabled: boolean;
                    severity: "critical" | "info" | "warning";
                    element: "input" | "output" | "pair" | null;
                    metric: string | null;
                    apps: string[] | null;
                    environments: string[] | null;
                    models: string[] | null;
                    tags: string[] | null;
                    condition: {
                        type: "above" | "below";
                        threshold: number;
                    } | {
                        type: "outlier";
                        method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                        sensitivity?: number | undefined;
                        tails: "both" | "high" | "low";
                        countMin: number;
                        historyDays: number;
                    } | {
                        type: "rate";
                        windowMinutes: number;
                        moreThan: number;
                        above?: number | undefined;
                        below?: number | undefined;
                    } | {
                        type: "missing";
                        windowMinutes: number;
                    };
                    groupBy: ("app" | "environment" | "model")[];
                    renotifyMinutes: number | null;
                    resolveMinutes: number;
                    id: string;
                    ownerId: string | null;
                    createdAt: string;
                    updatedAt: string;
                };
            };
        };
        $patch: {
            input: {
                param: {
                    id: string;
                };
                json: {
                    name?: string | undefined;
                    isEnabled?: boolean | undefined;
                    severity?: "critical" | "info" | "warning" | undefined;
                    element?: "input" | "output" | "pair" | null | undefined;
                    metric?: string | null | undefined;
                    apps?: string[] | null | undefined;
                    environments?: string[] | null | undefined;
                    models?: string[] | null | undefined;
                    tags?: string[] | null | undefined;
                    condition?: {
                        type: "above" | "below";
                        threshold: number;
                    } | {
                        type: "outlier";
                        method?: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | undefined;
                        sensitivity?: number | undefined;
                        tails?: "both" | "high" | "low" | undefined;
                        countMin?: number | undefined;
                        historyDays?: number | undefined;
                    } | {
                        type: "rate";
                        windowMinutes: number;
                        moreThan: number;
                        above?: number | undefined;
                        below?: number | undefined;
                    } | {
                        type: "missing";
                        windowMinutes: number;
                    } | undefined;
                    groupBy?: ("app" | "environment" | "model")[] | undefined;
                    renotifyMinutes?: number | null | undefined;
                    resolveMinutes?: number | undefined;
                };
            };
            answers: {
                200: {
                    name: string;
                    isEnabled: boolean;
                    severity: "critical" | "info" | "warning";
                    element: "input" | "output" | "pair" | null;
                    metric: string | null;
                    apps: string[] | null;
                    environments: string[] | null;
                    models: string[] | null;
                    tags: string[] | null;
                    condition: {
                        type: "above" | "below";
                        threshold: number;
                    } | {
                        type: "outlier";
                        method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                        sensitivity?: number | undefined;
                        tails: "both" | "high" | "low";
                        countMin: number;
                        historyDays: number;
                    } | {
                        type: "rate";
                        windowMinutes: number;
                        moreThan: number;
                        above?: number | undefined;
                        below?: number | undefined;
                    } | {
                        type: "missing";
                        windowMinutes: number;
                    };
                    groupBy: ("app" | "environment" | "model")[];
                    renotifyMinutes: number | null;
                    resolveMinutes: number;
                    id: string;
                    ownerId: string | null;
                    createdAt: string;
                    updatedAt: string;
                };
            };
        };
    };
    "/api/rules/back-tests": {
        $get: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        rule: {
                            name: string;
                            isEnabled: boolean;
                            severity: "critical" | "info" | "warning";
                            element: "input" | "output" | "pair" | null;
                            metric: string | null;
                            apps: string[] | null;
                            environments: string[] | null;
                            models: string[] | null;
                            tags: string[] | null;
                            condition: {
                                type: "above" | "below";
                                threshold: number;
                            } | {
                                type: "outlier";
                                method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                                sensitivity?: number | undefined;
                                tails: "both" | "high" | "low";
                                countMin: number;
                                historyDays: number;
                            } | {
                                type: "rate";
                                windowMinutes: number;
                                moreThan: number;
                                above?: number | undefined;
                                below?: number | undefined;
                            } | {
                                type: "missing";
                                windowMinutes: number;
                            };
                            groupBy: ("app" | "environment" | "model")[];
                            renotifyMinutes: number | null;
                            resolveMinutes: number;
                        };
                        from: string;
                        to: string;
                        state: "cancelled" | "done" | "failed" | "running";
                        job: {
                            id: string;
                        };
                        result: {
                            judged: number;
                            withoutHistory: number;
                            fired: number;
                            firedPerWeek: number;
                            alerts: {
                                opened: number;
                                repeated: number;
                                perWeek: number;
                            };
                            weeks: {
                                from: string;
                                judged: number;
                                fired: number;
                                alerts: number;
                            }[];
                            first: {
                                interactionId: string | null;
                                occurredAt: string;
                                app: string | null;
                                environment: string | null;
                                model: string | null;
                                value: number;
                                score: number | null;
                                bound: number;
                            }[];
                            newest: {
                                interactionId: string | null;
                                occurredAt: string;
                                app: string | null;
                                environment: string | null;
                                model: string | null;
                                value: number;
                                score: number | null;
                                bound: number;
                            }[];
                            extreme: {
                                interactionId: string | null;
                                occurredAt: string;
                                app: string | null;
                                environment: string | null;
                                model: string | null;
                                value: number;
                                score: number | null;
                                bound: number;
                            }[];
                            values: {
                                count: number;
                                p50: number;
                                p95: number;
                                p99: number;
                                max: number;
                            } | null;
                            sensitivities: {
                                fired: number;
                                firedPerWeek: number;
                                sensitivity: number;
                            }[] | null;
                            thresholds: {
                                fired: number;
                                firedPerWeek: number;
                                threshold: number;
                            }[] | null;
                            groups: number;
                        } | null;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        createdAt: string;
                        finishedAt: string | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
        $post: {
            input: {
                query?: {
                    scope?: "house" | "own" | undefined;
                };
                json: {
                    rule?: {
                        condition: {
                            type: "above" | "below";
                            threshold: number;
                        } | {
                            type: "outlier";
                            method?: "ewma" | "iqr" | "mad" | "seasonal" | "z-score" | undefined;
                            sensitivity?: number | undefined;
                            tails?: "both" | "high" | "low" | undefined;
                            countMin?: number | undefined;
                            historyDays?: number | undefined;
                        } | {
                            type: "rate";
                            windowMinutes: number;
                            moreThan: number;
                            above?: number | undefined;
                            below?: number | undefined;
                        } | {
                            type: "missing";
                            windowMinutes: number;
                        };
                        isEnabled?: boolean | undefined;
                        severity?: "critical" | "info" | "warning" | undefined;
                        element?: "input" | "output" | "pair" | null | undefined;
                        metric?: string | null | undefined;
                        apps?: string[] | null | undefined;
                        environments?: string[] | null | undefined;
                        models?: string[] | null | undefined;
                        tags?: string[] | null | undefined;
                        groupBy?: ("app" | "environment" | "model")[] | undefined;
                        renotifyMinutes?: number | null | undefined;
                        resolveMinutes?: number | undefined;
                        name?: string | undefined;
                    } | undefined;
                    ruleId?: string | undefined;
                    from?: string | undefined;
                    to?: string | undefined;
                };
            };
            answers: {
                202: {
                    id: string;
                    ownerId: string | null;
                    rule: {
                        name: string;
                        isEnabled: boolean;
                        severity: "critical" | "info" | "warning";
                        element: "input" | "output" | "pair" | null;
                        metric: string | null;
                        apps: string[] | null;
                        environments: string[] | null;
                        models: string[] | null;
                        tags: string[] | null;
                        condition: {
                            type: "above" | "below";
                            threshold: number;
                        } | {
                            type: "outlier";
                            method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                            sensitivity?: number | undefined;
                            tails: "both" | "high" | "low";
                            countMin: number;
                            historyDays: number;
                        } | {
                            type: "rate";
                            windowMinutes: number;
                            moreThan: number;
                            above?: number | undefined;
                            below?: number | undefined;
                        } | {
                            type: "missing";
                            windowMinutes: number;
                        };
                        groupBy: ("app" | "environment" | "model")[];
                        renotifyMinutes: number | null;
                        resolveMinutes: number;
                    };
                    from: string;
                    to: string;
                    state: "cancelled" | "done" | "failed" | "running";
                    job: {
                        id: string;
                    };
                    result: {
                        judged: number;
                        withoutHistory: number;
                        fired: number;
                        firedPerWeek: number;
                        alerts: {
                            opened: number;
                            repeated: number;
                            perWeek: number;
                        };
                        weeks: {
                            from: string;
                            judged: number;
                            fired: number;
                            alerts: number;
                        }[];
                        first: {
                            interactionId: string | null;
                            occurredAt: string;
                            app: string | null;
                            environment: string | null;
                            model: string | null;
                            value: number;
                            score: number | null;
                            bound: number;
                        }[];
                        newest: {
                            interactionId: string | null;
                            occurredAt: string;
                            app: string | null;
                            environment: string | null;
                            model: string | null;
                            value: number;
                            score: number | null;
                            bound: number;
                        }[];
                        extreme: {
                            interactionId: string | null;
                            occurredAt: string;
                            app: string | null;
                            environment: string | null;
                            model: string | null;
                            value: number;
                            score: number | null;
                            bound: number;
                        }[];
                        values: {
                            count: number;
                            p50: number;
                            p95: number;
                            p99: number;
                            max: number;
                        } | null;
                        sensitivities: {
                            fired: number;
                            firedPerWeek: number;
                            sensitivity: number;
                        }[] | null;
                        thresholds: {
                            fired: number;
                            firedPerWeek: number;
                            threshold: number;
                        }[] | null;
                        groups: number;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    createdAt: string;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/rules/back-tests/:id": {
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    rule: {
                        name: string;
                        isEnabled: boolean;
                        severity: "critical" | "info" | "warning";
                        element: "input" | "output" | "pair" | null;
                        metric: string | null;
                        apps: string[] | null;
                        environments: string[] | null;
                        models: string[] | null;
                        tags: string[] | null;
                        condition: {
                            type: "above" | "below";
                            threshold: number;
                        } | {
                            type: "outlier";
                            method: "ewma" | "iqr" | "mad" | "seasonal" | "z-score";
                            sensitivity?: number | undefined;
                            tails: "both" | "high" | "low";
                            countMin: number;
                            historyDays: number;
                        } | {
                            type: "rate";
                            windowMinutes: number;
                            moreThan: number;
                            above?: number | undefined;
                            below?: number | undefined;
                        } | {
                            type: "missing";
                            windowMinutes: number;
                        };
                        groupBy: ("app" | "environment" | "model")[];
                        renotifyMinutes: number | null;
                        resolveMinutes: number;
                    };
                    from: string;
                    to: string;
                    state: "cancelled" | "done" | "failed" | "running";
                    job: {
                        id: string;
                    };
                    result: {
                        judged: number;
                        withoutHistory: number;
                        fired: number;
                        firedPerWeek: number;
                        alerts: {
                            opened: number;
                            repeated: number;
                            perWeek: number;
                        };
                        weeks: {
                            from: string;
                            judged: number;
                            fired: number;
                            alerts: number;
                        }[];
                        first: {
                            interactionId: string | null;
                            occurredAt: string;
                            app: string | null;
                            environment: string | null;
                            model: string | null;
                            value: number;
                            score: number | null;
                            bound: number;
                        }[];
                        newest: {
                            interactionId: string | null;
                            occurredAt: string;
                            app: string | null;
                            environment: string | null;
                            model: string | null;
                            value: number;
                            score: number | null;
                            bound: number;
                        }[];
                        extreme: {
                            interactionId: string | null;
                            occurredAt: string;
                            app: string | null;
                            environment: string | null;
                            model: string | null;
                            value: number;
                            score: number | null;
                            bound: number;
                        }[];
                        values: {
                            count: number;
                            p50: number;
                            p95: number;
                            p99: number;
                            max: number;
                        } | null;
                        sensitivities: {
                            fired: number;
                            firedPerWeek: number;
                            sensitivity: number;
                        }[] | null;
                        thresholds: {
                            fired: number;
                            firedPerWeek: number;
                            threshold: number;
                        }[] | null;
                        groups: number;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    createdAt: string;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/spaces": {
        $get: {
            input: {};
            answers: {
                200: {
                    items: {
                        id: number;
                        name: string;
                        model: string;
                        modelDigest: string;
                        dimensions: number;
                        isCurrent: boolean;
                        isMaintained: boolean;
                        isOffered: boolean;
                        pictures: number;
                        vectors: number;
                        missing: number;
                        calibration: {
                            threshold: number;
                            falsePositiveRate: number;
                            measuredAt: string;
                        } | null;
                        fill: {
                            id: string;
                            state: "queued" | "running";
                            progress: {
                                done: number;
                                total: number | null;
                                message: string | null;
                            };
                        } | null;
                        createdAt: string;
                        switchedAt: string | null;
                    }[];
                };
            };
        };
        $post: {
            input: {
                json: {
                    model: string;
                    modelDigest: string;
                    dimensions: number;
                    name?: string | undefined;
                };
            };
            answers: {
                201: {
                    id: number;
                    name: string;
                    model: string;
                    modelDigest: string;
                    dimensions: number;
                    isCurrent: boolean;
                    isMaintained: boolean;
                    isOffered: boolean;
                    pictures: number;
                    vectors: number;
                    missing: number;
                    calibration: {
                        threshold: number;
                        falsePositiveRate: number;
                        measuredAt: string;
                    } | null;
                    fill: {
                        id: string;
                        state: "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                    } | null;
                    createdAt: string;
                    switchedAt: string | null;
                };
            };
        };
    };
    "/api/spaces/:id": {
        $delete: {
            input: {
                param: {
                    id: string | number;
                };
                query?: {
                    force?: "false" | "true" | undefined;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string | number;
                };
            };
            answers: {
                200: {
                    id: number;
                    name: string;
                    model: string;
                    modelDigest: string;
                    dimensions: number;
                    isCurrent: boolean;
                    isMaintained: boolean;
                    isOffered: boolean;
                    pictures: number;
                    vectors: number;
                    missing: number;
                    calibration: {
                        threshold: number;
                        falsePositiveRate: number;
                        measuredAt: string;
                    } | null;
                    fill: {
                        id: string;
                        state: "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                    } | null;
                    createdAt: string;
                    switchedAt: string | null;
                };
            };
        };
    };
    "/api/spaces/:id/comparisons": {
        $post: {
            input: {
                param: {
                    id: string | number;
                };
                json: {
                    queries?: number | undefined;
                };
            };
            answers: {
                202: {
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/spaces/:id/fills": {
        $post: {
            input: {
                param: {
                    id: string | number;
                };
            };
            answers: {
                202: {
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/spaces/current": {
        $put: {
            input: {
                json: {
                    spaceId: number;
                    force?: boolean | undefined;
                };
            };
            answers: {
                200: {
                    id: number;
                    name: string;
                    model: string;
                    modelDigest: string;
                    dimensions: number;
                    isCurrent: boolean;
                    isMaintained: boolean;
                    isOffered: boolean;
                    pictures: number;
                    vectors: number;
                    missing: number;
                    calibration: {
                        threshold: number;
                        falsePositiveRate: number;
                        measuredAt: string;
                    } | null;
                    fill: {
                        id: string;
                        state: "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                    } | null;
                    createdAt: string;
                    switchedAt: string | null;
                };
            };
        };
    };
    "/api/webhooks": {
        $get: {
            input: {};
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        url: string;
                        events: ("alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed")[];
                        kinds: string[] | null;
                        format: "slack" | "standard";
                        severityMin: "critical" | "info" | "warning" | null;
                        isEnabled: boolean;
                        disabledAt: string | null;
                        disabledReason: string | null;
                        failingSince: string | null;
                        createdAt: string;
                    }[];
                    nextCursor: null;
                };
            };
        };
        $post: {
            input: {
                json: {
                    url: string;
                    events?: ("alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed")[] | undefined;
                    kinds?: string[] | null | undefined;
                    format?: "slack" | "standard" | undefined;
                    severityMin?: "critical" | "info" | "warning" | null | undefined;
                };
            };
            answers: {
                201: {
                    id: string;
                    ownerId: string | null;
                    url: string;
                    events: ("alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed")[];
                    kinds: string[] | null;
                    format: "slack" | "standard";
                    severityMin: "critical" | "info" | "warning" | null;
                    isEnabled: boolean;
                    disabledAt: string | null;
                    disabledReason: string | null;
                    failingSince: string | null;
                    createdAt: string;
                    secret: string;
                };
            };
        };
    };
    "/api/webhooks/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    url: string;
                    events: ("alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed")[];
                    kinds: string[] | null;
                    format: "slack" | "standard";
                    severityMin: "critical" | "info" | "warning" | null;
                    isEnabled: boolean;
                    disabledAt: string | null;
                    disabledReason: string | null;
                    failingSince: string | null;
                    createdAt: string;
                };
            };
        };
        $patch: {
            input: {
                param: {
                    id: string;
                };
                json: {
                    url?: string | undefined;
                    events?: ("alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed")[] | undefined;
                    kinds?: string[] | null | undefined;
                    format?: "slack" | "standard" | undefined;
                    severityMin?: "critical" | "info" | "warning" | null | undefined;
                    isEnabled?: boolean | undefined;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    url: string;
                    events: ("alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed")[];
                    kinds: string[] | null;
                    format: "slack" | "standard";
                    severityMin: "critical" | "info" | "warning" | null;
                    isEnabled: boolean;
                    disabledAt: string | null;
                    disabledReason: string | null;
                    failingSince: string | null;
                    createdAt: string;
                };
            };
        };
    };
    "/api/webhooks/:id/deliveries": {
        $get: {
            input: {
                param: {
                    id: string;
                };
                query?: {
                    state?: "cancelled" | "delivered" | "failed" | "pending" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        webhookId: string;
                        event: "alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed" | "webhook.test";
                        jobId: string | null;
                        alertId: string | null;
                        sequence: number | null;
                        state: "cancelled" | "delivered" | "failed" | "pending";
                        attempts: number;
                        statusCode: number | null;
                        error: string | null;
                        tookMs: number | null;
                        createdAt: string;
                        attemptedAt: string | null;
                        nextAttemptAt: string | null;
                        finishedAt: string | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/webhooks/:id/deliveries/:deliveryId/redelivery": {
        $post: {
            input: {
                param: {
                    id: string;
                    deliveryId: string;
                };
            };
            answers: {
                202: {
                    id: string;
                    webhookId: string;
                    event: "alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed" | "webhook.test";
                    jobId: string | null;
                    alertId: string | null;
                    sequence: number | null;
                    state: "cancelled" | "delivered" | "failed" | "pending";
                    attempts: number;
                    statusCode: number | null;
                    error: string | null;
                    tookMs: number | null;
                    createdAt: string;
                    attemptedAt: string | null;
                    nextAttemptAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/webhooks/:id/secret": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                201: {
                    secret: string;
                    formerUntil: string;
                };
            };
        };
    };
    "/api/webhooks/:id/test": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    id: string;
                    webhookId: string;
                    event: "alert.opened" | "alert.repeated" | "alert.resolved" | "job.done" | "job.failed" | "webhook.test";
                    jobId: string | null;
                    alertId: string | null;
                    sequence: number | null;
                    state: "cancelled" | "delivered" | "failed" | "pending";
                    attempts: number;
                    statusCode: number | null;
                    error: string | null;
                    tookMs: number | null;
                    createdAt: string;
                    attemptedAt: string | null;
                    nextAttemptAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
};
export type Problem = {
    type: string;
    title: string;
    status: number;
    detail: string;
    instance: string;
    code: "cancelled" | "conflict" | "deadline_exceeded" | "forbidden" | "gone" | "idempotency_in_progress" | "idempotency_mismatch" | "image_object_missing" | "image_too_many_pixels" | "image_undecodable" | "invalid_cursor" | "invalid_request" | "lease_expired" | "method_not_allowed" | "name_taken" | "not_found" | "payload_too_large" | "quota_exceeded" | "rate_limited" | "token_expired" | "unauthenticated" | "unavailable" | "unexpected" | "unsupported_media_type" | "upload_expired" | "upstream_failed";
    requestId: string;
    errors: {
        field: string;
        message: string;
    }[];
};
