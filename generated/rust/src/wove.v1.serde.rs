impl serde::Serialize for CancelTask {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.run_id.is_empty() {
            len += 1;
        }
        if !self.task_id.is_empty() {
            len += 1;
        }
        if !self.delivery_cancel_mode.is_empty() {
            len += 1;
        }
        if !self.delivery_orphan_policy.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.CancelTask", len)?;
        if !self.run_id.is_empty() {
            struct_ser.serialize_field("run_id", &self.run_id)?;
        }
        if !self.task_id.is_empty() {
            struct_ser.serialize_field("task_id", &self.task_id)?;
        }
        if !self.delivery_cancel_mode.is_empty() {
            struct_ser.serialize_field("delivery_cancel_mode", &self.delivery_cancel_mode)?;
        }
        if !self.delivery_orphan_policy.is_empty() {
            struct_ser.serialize_field("delivery_orphan_policy", &self.delivery_orphan_policy)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CancelTask {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "run_id",
            "task_id",
            "delivery_cancel_mode",
            "delivery_orphan_policy",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RunId,
            TaskId,
            DeliveryCancelMode,
            DeliveryOrphanPolicy,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "run_id" => Ok(GeneratedField::RunId),
                            "task_id" => Ok(GeneratedField::TaskId),
                            "delivery_cancel_mode" => Ok(GeneratedField::DeliveryCancelMode),
                            "delivery_orphan_policy" => Ok(GeneratedField::DeliveryOrphanPolicy),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CancelTask;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.CancelTask")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CancelTask, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut run_id__ = None;
                let mut task_id__ = None;
                let mut delivery_cancel_mode__ = None;
                let mut delivery_orphan_policy__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RunId => {
                            if run_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("run_id"));
                            }
                            run_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TaskId => {
                            if task_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_id"));
                            }
                            task_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DeliveryCancelMode => {
                            if delivery_cancel_mode__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_cancel_mode"));
                            }
                            delivery_cancel_mode__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DeliveryOrphanPolicy => {
                            if delivery_orphan_policy__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_orphan_policy"));
                            }
                            delivery_orphan_policy__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(CancelTask {
                    run_id: run_id__.unwrap_or_default(),
                    task_id: task_id__.unwrap_or_default(),
                    delivery_cancel_mode: delivery_cancel_mode__.unwrap_or_default(),
                    delivery_orphan_policy: delivery_orphan_policy__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.CancelTask", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Command {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.frame.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.Command", len)?;
        if let Some(v) = self.frame.as_ref() {
            match v {
                command::Frame::RunTask(v) => {
                    struct_ser.serialize_field("run_task", v)?;
                }
                command::Frame::CancelTask(v) => {
                    struct_ser.serialize_field("cancel_task", v)?;
                }
                command::Frame::Shutdown(v) => {
                    struct_ser.serialize_field("shutdown", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Command {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "run_task",
            "cancel_task",
            "shutdown",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RunTask,
            CancelTask,
            Shutdown,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "run_task" => Ok(GeneratedField::RunTask),
                            "cancel_task" => Ok(GeneratedField::CancelTask),
                            "shutdown" => Ok(GeneratedField::Shutdown),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Command;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Command")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Command, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut frame__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RunTask => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("run_task"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Frame::RunTask)
;
                        }
                        GeneratedField::CancelTask => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cancel_task"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Frame::CancelTask)
;
                        }
                        GeneratedField::Shutdown => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("shutdown"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Frame::Shutdown)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Command {
                    frame: frame__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Command", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Delivery {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.delivery_timeout.is_some() {
            len += 1;
        }
        if self.delivery_idempotency_key.is_some() {
            len += 1;
        }
        if self.delivery_cancel_mode.is_some() {
            len += 1;
        }
        if self.delivery_heartbeat_seconds.is_some() {
            len += 1;
        }
        if self.delivery_orphan_policy.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.Delivery", len)?;
        if let Some(v) = self.delivery_timeout.as_ref() {
            struct_ser.serialize_field("delivery_timeout", v)?;
        }
        if let Some(v) = self.delivery_idempotency_key.as_ref() {
            struct_ser.serialize_field("delivery_idempotency_key", v)?;
        }
        if let Some(v) = self.delivery_cancel_mode.as_ref() {
            struct_ser.serialize_field("delivery_cancel_mode", v)?;
        }
        if let Some(v) = self.delivery_heartbeat_seconds.as_ref() {
            struct_ser.serialize_field("delivery_heartbeat_seconds", v)?;
        }
        if let Some(v) = self.delivery_orphan_policy.as_ref() {
            struct_ser.serialize_field("delivery_orphan_policy", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Delivery {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "delivery_timeout",
            "delivery_idempotency_key",
            "delivery_cancel_mode",
            "delivery_heartbeat_seconds",
            "delivery_orphan_policy",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            DeliveryTimeout,
            DeliveryIdempotencyKey,
            DeliveryCancelMode,
            DeliveryHeartbeatSeconds,
            DeliveryOrphanPolicy,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "delivery_timeout" => Ok(GeneratedField::DeliveryTimeout),
                            "delivery_idempotency_key" => Ok(GeneratedField::DeliveryIdempotencyKey),
                            "delivery_cancel_mode" => Ok(GeneratedField::DeliveryCancelMode),
                            "delivery_heartbeat_seconds" => Ok(GeneratedField::DeliveryHeartbeatSeconds),
                            "delivery_orphan_policy" => Ok(GeneratedField::DeliveryOrphanPolicy),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Delivery;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Delivery")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Delivery, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut delivery_timeout__ = None;
                let mut delivery_idempotency_key__ = None;
                let mut delivery_cancel_mode__ = None;
                let mut delivery_heartbeat_seconds__ = None;
                let mut delivery_orphan_policy__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::DeliveryTimeout => {
                            if delivery_timeout__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_timeout"));
                            }
                            delivery_timeout__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::DeliveryIdempotencyKey => {
                            if delivery_idempotency_key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_idempotency_key"));
                            }
                            delivery_idempotency_key__ = map_.next_value()?;
                        }
                        GeneratedField::DeliveryCancelMode => {
                            if delivery_cancel_mode__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_cancel_mode"));
                            }
                            delivery_cancel_mode__ = map_.next_value()?;
                        }
                        GeneratedField::DeliveryHeartbeatSeconds => {
                            if delivery_heartbeat_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_heartbeat_seconds"));
                            }
                            delivery_heartbeat_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::DeliveryOrphanPolicy => {
                            if delivery_orphan_policy__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_orphan_policy"));
                            }
                            delivery_orphan_policy__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Delivery {
                    delivery_timeout: delivery_timeout__,
                    delivery_idempotency_key: delivery_idempotency_key__,
                    delivery_cancel_mode: delivery_cancel_mode__,
                    delivery_heartbeat_seconds: delivery_heartbeat_seconds__,
                    delivery_orphan_policy: delivery_orphan_policy__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Delivery", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ErrorInfo {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.kind.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if self.traceback.is_some() {
            len += 1;
        }
        if self.retryable.is_some() {
            len += 1;
        }
        if !self.source.is_empty() {
            len += 1;
        }
        if self.cause.is_some() {
            len += 1;
        }
        if !self.code.is_empty() {
            len += 1;
        }
        if !self.exceptions.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.ErrorInfo", len)?;
        if !self.kind.is_empty() {
            struct_ser.serialize_field("kind", &self.kind)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if let Some(v) = self.traceback.as_ref() {
            struct_ser.serialize_field("traceback", v)?;
        }
        if let Some(v) = self.retryable.as_ref() {
            struct_ser.serialize_field("retryable", v)?;
        }
        if !self.source.is_empty() {
            struct_ser.serialize_field("source", &self.source)?;
        }
        if let Some(v) = self.cause.as_ref() {
            struct_ser.serialize_field("cause", v)?;
        }
        if !self.code.is_empty() {
            struct_ser.serialize_field("code", &self.code)?;
        }
        if !self.exceptions.is_empty() {
            struct_ser.serialize_field("exceptions", &self.exceptions)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ErrorInfo {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kind",
            "message",
            "traceback",
            "retryable",
            "source",
            "cause",
            "code",
            "exceptions",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kind,
            Message,
            Traceback,
            Retryable,
            Source,
            Cause,
            Code,
            Exceptions,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kind" => Ok(GeneratedField::Kind),
                            "message" => Ok(GeneratedField::Message),
                            "traceback" => Ok(GeneratedField::Traceback),
                            "retryable" => Ok(GeneratedField::Retryable),
                            "source" => Ok(GeneratedField::Source),
                            "cause" => Ok(GeneratedField::Cause),
                            "code" => Ok(GeneratedField::Code),
                            "exceptions" => Ok(GeneratedField::Exceptions),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ErrorInfo;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.ErrorInfo")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ErrorInfo, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                let mut message__ = None;
                let mut traceback__ = None;
                let mut retryable__ = None;
                let mut source__ = None;
                let mut cause__ = None;
                let mut code__ = None;
                let mut exceptions__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Traceback => {
                            if traceback__.is_some() {
                                return Err(serde::de::Error::duplicate_field("traceback"));
                            }
                            traceback__ = map_.next_value()?;
                        }
                        GeneratedField::Retryable => {
                            if retryable__.is_some() {
                                return Err(serde::de::Error::duplicate_field("retryable"));
                            }
                            retryable__ = map_.next_value()?;
                        }
                        GeneratedField::Source => {
                            if source__.is_some() {
                                return Err(serde::de::Error::duplicate_field("source"));
                            }
                            source__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Cause => {
                            if cause__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cause"));
                            }
                            cause__ = map_.next_value()?;
                        }
                        GeneratedField::Code => {
                            if code__.is_some() {
                                return Err(serde::de::Error::duplicate_field("code"));
                            }
                            code__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Exceptions => {
                            if exceptions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("exceptions"));
                            }
                            exceptions__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ErrorInfo {
                    kind: kind__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    traceback: traceback__,
                    retryable: retryable__,
                    source: source__.unwrap_or_default(),
                    cause: cause__,
                    code: code__.unwrap_or_default(),
                    exceptions: exceptions__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.ErrorInfo", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Event {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.run_id.is_empty() {
            len += 1;
        }
        if !self.task_id.is_empty() {
            len += 1;
        }
        if !self.event_id.is_empty() {
            len += 1;
        }
        if self.emitted_at.is_some() {
            len += 1;
        }
        if self.attempt != 0 {
            len += 1;
        }
        if !self.execution_id.is_empty() {
            len += 1;
        }
        if self.backend_attempt.is_some() {
            len += 1;
        }
        if self.sequence != 0 {
            len += 1;
        }
        if self.frame.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.Event", len)?;
        if !self.run_id.is_empty() {
            struct_ser.serialize_field("run_id", &self.run_id)?;
        }
        if !self.task_id.is_empty() {
            struct_ser.serialize_field("task_id", &self.task_id)?;
        }
        if !self.event_id.is_empty() {
            struct_ser.serialize_field("event_id", &self.event_id)?;
        }
        if let Some(v) = self.emitted_at.as_ref() {
            struct_ser.serialize_field("emitted_at", v)?;
        }
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if !self.execution_id.is_empty() {
            struct_ser.serialize_field("execution_id", &self.execution_id)?;
        }
        if let Some(v) = self.backend_attempt.as_ref() {
            struct_ser.serialize_field("backend_attempt", v)?;
        }
        if self.sequence != 0 {
            struct_ser.serialize_field("sequence", &self.sequence)?;
        }
        if let Some(v) = self.frame.as_ref() {
            match v {
                event::Frame::TaskStarted(v) => {
                    struct_ser.serialize_field("task_started", v)?;
                }
                event::Frame::TaskResult(v) => {
                    struct_ser.serialize_field("task_result", v)?;
                }
                event::Frame::TaskError(v) => {
                    struct_ser.serialize_field("task_error", v)?;
                }
                event::Frame::TaskCancelled(v) => {
                    struct_ser.serialize_field("task_cancelled", v)?;
                }
                event::Frame::Heartbeat(v) => {
                    struct_ser.serialize_field("heartbeat", v)?;
                }
                event::Frame::Progress(v) => {
                    struct_ser.serialize_field("progress", v)?;
                }
                event::Frame::Log(v) => {
                    struct_ser.serialize_field("log", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Event {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "run_id",
            "task_id",
            "event_id",
            "emitted_at",
            "attempt",
            "execution_id",
            "backend_attempt",
            "sequence",
            "task_started",
            "task_result",
            "task_error",
            "task_cancelled",
            "heartbeat",
            "progress",
            "log",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RunId,
            TaskId,
            EventId,
            EmittedAt,
            Attempt,
            ExecutionId,
            BackendAttempt,
            Sequence,
            TaskStarted,
            TaskResult,
            TaskError,
            TaskCancelled,
            Heartbeat,
            Progress,
            Log,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "run_id" => Ok(GeneratedField::RunId),
                            "task_id" => Ok(GeneratedField::TaskId),
                            "event_id" => Ok(GeneratedField::EventId),
                            "emitted_at" => Ok(GeneratedField::EmittedAt),
                            "attempt" => Ok(GeneratedField::Attempt),
                            "execution_id" => Ok(GeneratedField::ExecutionId),
                            "backend_attempt" => Ok(GeneratedField::BackendAttempt),
                            "sequence" => Ok(GeneratedField::Sequence),
                            "task_started" => Ok(GeneratedField::TaskStarted),
                            "task_result" => Ok(GeneratedField::TaskResult),
                            "task_error" => Ok(GeneratedField::TaskError),
                            "task_cancelled" => Ok(GeneratedField::TaskCancelled),
                            "heartbeat" => Ok(GeneratedField::Heartbeat),
                            "progress" => Ok(GeneratedField::Progress),
                            "log" => Ok(GeneratedField::Log),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Event;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Event")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Event, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut run_id__ = None;
                let mut task_id__ = None;
                let mut event_id__ = None;
                let mut emitted_at__ = None;
                let mut attempt__ = None;
                let mut execution_id__ = None;
                let mut backend_attempt__ = None;
                let mut sequence__ = None;
                let mut frame__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RunId => {
                            if run_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("run_id"));
                            }
                            run_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TaskId => {
                            if task_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_id"));
                            }
                            task_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::EventId => {
                            if event_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("event_id"));
                            }
                            event_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::EmittedAt => {
                            if emitted_at__.is_some() {
                                return Err(serde::de::Error::duplicate_field("emitted_at"));
                            }
                            emitted_at__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ExecutionId => {
                            if execution_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("execution_id"));
                            }
                            execution_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::BackendAttempt => {
                            if backend_attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("backend_attempt"));
                            }
                            backend_attempt__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Sequence => {
                            if sequence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sequence"));
                            }
                            sequence__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TaskStarted => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_started"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::TaskStarted)
;
                        }
                        GeneratedField::TaskResult => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_result"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::TaskResult)
;
                        }
                        GeneratedField::TaskError => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_error"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::TaskError)
;
                        }
                        GeneratedField::TaskCancelled => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_cancelled"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::TaskCancelled)
;
                        }
                        GeneratedField::Heartbeat => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("heartbeat"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::Heartbeat)
;
                        }
                        GeneratedField::Progress => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("progress"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::Progress)
;
                        }
                        GeneratedField::Log => {
                            if frame__.is_some() {
                                return Err(serde::de::Error::duplicate_field("log"));
                            }
                            frame__ = map_.next_value::<::std::option::Option<_>>()?.map(event::Frame::Log)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Event {
                    run_id: run_id__.unwrap_or_default(),
                    task_id: task_id__.unwrap_or_default(),
                    event_id: event_id__.unwrap_or_default(),
                    emitted_at: emitted_at__,
                    attempt: attempt__.unwrap_or_default(),
                    execution_id: execution_id__.unwrap_or_default(),
                    backend_attempt: backend_attempt__,
                    sequence: sequence__.unwrap_or_default(),
                    frame: frame__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Event", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for EventAck {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.event_id.is_empty() {
            len += 1;
        }
        if self.duplicate {
            len += 1;
        }
        if self.code != 0 {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if self.cancel.is_some() {
            len += 1;
        }
        if self.retry_after_seconds.is_some() {
            len += 1;
        }
        if self.heartbeat_seconds.is_some() {
            len += 1;
        }
        if !self.receiver_id.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.EventAck", len)?;
        if !self.event_id.is_empty() {
            struct_ser.serialize_field("event_id", &self.event_id)?;
        }
        if self.duplicate {
            struct_ser.serialize_field("duplicate", &self.duplicate)?;
        }
        if self.code != 0 {
            struct_ser.serialize_field("code", &self.code)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if let Some(v) = self.cancel.as_ref() {
            struct_ser.serialize_field("cancel", v)?;
        }
        if let Some(v) = self.retry_after_seconds.as_ref() {
            struct_ser.serialize_field("retry_after_seconds", v)?;
        }
        if let Some(v) = self.heartbeat_seconds.as_ref() {
            struct_ser.serialize_field("heartbeat_seconds", v)?;
        }
        if !self.receiver_id.is_empty() {
            struct_ser.serialize_field("receiver_id", &self.receiver_id)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for EventAck {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "event_id",
            "duplicate",
            "code",
            "message",
            "cancel",
            "retry_after_seconds",
            "heartbeat_seconds",
            "receiver_id",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            EventId,
            Duplicate,
            Code,
            Message,
            Cancel,
            RetryAfterSeconds,
            HeartbeatSeconds,
            ReceiverId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "event_id" => Ok(GeneratedField::EventId),
                            "duplicate" => Ok(GeneratedField::Duplicate),
                            "code" => Ok(GeneratedField::Code),
                            "message" => Ok(GeneratedField::Message),
                            "cancel" => Ok(GeneratedField::Cancel),
                            "retry_after_seconds" => Ok(GeneratedField::RetryAfterSeconds),
                            "heartbeat_seconds" => Ok(GeneratedField::HeartbeatSeconds),
                            "receiver_id" => Ok(GeneratedField::ReceiverId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = EventAck;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.EventAck")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<EventAck, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut event_id__ = None;
                let mut duplicate__ = None;
                let mut code__ = None;
                let mut message__ = None;
                let mut cancel__ = None;
                let mut retry_after_seconds__ = None;
                let mut heartbeat_seconds__ = None;
                let mut receiver_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::EventId => {
                            if event_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("event_id"));
                            }
                            event_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Duplicate => {
                            if duplicate__.is_some() {
                                return Err(serde::de::Error::duplicate_field("duplicate"));
                            }
                            duplicate__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Code => {
                            if code__.is_some() {
                                return Err(serde::de::Error::duplicate_field("code"));
                            }
                            code__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Cancel => {
                            if cancel__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cancel"));
                            }
                            cancel__ = map_.next_value()?;
                        }
                        GeneratedField::RetryAfterSeconds => {
                            if retry_after_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("retry_after_seconds"));
                            }
                            retry_after_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::HeartbeatSeconds => {
                            if heartbeat_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("heartbeat_seconds"));
                            }
                            heartbeat_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::ReceiverId => {
                            if receiver_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("receiver_id"));
                            }
                            receiver_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(EventAck {
                    event_id: event_id__.unwrap_or_default(),
                    duplicate: duplicate__.unwrap_or_default(),
                    code: code__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    cancel: cancel__,
                    retry_after_seconds: retry_after_seconds__,
                    heartbeat_seconds: heartbeat_seconds__,
                    receiver_id: receiver_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.EventAck", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Heartbeat {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("wove.v1.Heartbeat", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Heartbeat {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Ok(GeneratedField::__SkipField__)
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Heartbeat;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Heartbeat")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Heartbeat, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Heartbeat {
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Heartbeat", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Log {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.level.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if !self.logger.is_empty() {
            len += 1;
        }
        if !self.stream.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.Log", len)?;
        if !self.level.is_empty() {
            struct_ser.serialize_field("level", &self.level)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if !self.logger.is_empty() {
            struct_ser.serialize_field("logger", &self.logger)?;
        }
        if !self.stream.is_empty() {
            struct_ser.serialize_field("stream", &self.stream)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Log {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "level",
            "message",
            "logger",
            "stream",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Level,
            Message,
            Logger,
            Stream,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "level" => Ok(GeneratedField::Level),
                            "message" => Ok(GeneratedField::Message),
                            "logger" => Ok(GeneratedField::Logger),
                            "stream" => Ok(GeneratedField::Stream),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Log;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Log")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Log, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut level__ = None;
                let mut message__ = None;
                let mut logger__ = None;
                let mut stream__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Level => {
                            if level__.is_some() {
                                return Err(serde::de::Error::duplicate_field("level"));
                            }
                            level__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Logger => {
                            if logger__.is_some() {
                                return Err(serde::de::Error::duplicate_field("logger"));
                            }
                            logger__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Stream => {
                            if stream__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stream"));
                            }
                            stream__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Log {
                    level: level__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    logger: logger__.unwrap_or_default(),
                    stream: stream__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Log", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Origin {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.python.is_empty() {
            len += 1;
        }
        if !self.wove.is_empty() {
            len += 1;
        }
        if !self.cloudpickle.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.Origin", len)?;
        if !self.python.is_empty() {
            struct_ser.serialize_field("python", &self.python)?;
        }
        if !self.wove.is_empty() {
            struct_ser.serialize_field("wove", &self.wove)?;
        }
        if !self.cloudpickle.is_empty() {
            struct_ser.serialize_field("cloudpickle", &self.cloudpickle)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Origin {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "python",
            "wove",
            "cloudpickle",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Python,
            Wove,
            Cloudpickle,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "python" => Ok(GeneratedField::Python),
                            "wove" => Ok(GeneratedField::Wove),
                            "cloudpickle" => Ok(GeneratedField::Cloudpickle),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Origin;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Origin")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Origin, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut python__ = None;
                let mut wove__ = None;
                let mut cloudpickle__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Python => {
                            if python__.is_some() {
                                return Err(serde::de::Error::duplicate_field("python"));
                            }
                            python__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Wove => {
                            if wove__.is_some() {
                                return Err(serde::de::Error::duplicate_field("wove"));
                            }
                            wove__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Cloudpickle => {
                            if cloudpickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cloudpickle"));
                            }
                            cloudpickle__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Origin {
                    python: python__.unwrap_or_default(),
                    wove: wove__.unwrap_or_default(),
                    cloudpickle: cloudpickle__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Origin", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Progress {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.current.is_some() {
            len += 1;
        }
        if self.total.is_some() {
            len += 1;
        }
        if !self.unit.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.Progress", len)?;
        if let Some(v) = self.current.as_ref() {
            struct_ser.serialize_field("current", v)?;
        }
        if let Some(v) = self.total.as_ref() {
            struct_ser.serialize_field("total", v)?;
        }
        if !self.unit.is_empty() {
            struct_ser.serialize_field("unit", &self.unit)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Progress {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "current",
            "total",
            "unit",
            "message",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Current,
            Total,
            Unit,
            Message,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "current" => Ok(GeneratedField::Current),
                            "total" => Ok(GeneratedField::Total),
                            "unit" => Ok(GeneratedField::Unit),
                            "message" => Ok(GeneratedField::Message),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Progress;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Progress")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Progress, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut current__ = None;
                let mut total__ = None;
                let mut unit__ = None;
                let mut message__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Current => {
                            if current__.is_some() {
                                return Err(serde::de::Error::duplicate_field("current"));
                            }
                            current__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Total => {
                            if total__.is_some() {
                                return Err(serde::de::Error::duplicate_field("total"));
                            }
                            total__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Unit => {
                            if unit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("unit"));
                            }
                            unit__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Progress {
                    current: current__,
                    total: total__,
                    unit: unit__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Progress", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PublishEventRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.body.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.PublishEventRequest", len)?;
        if let Some(v) = self.body.as_ref() {
            match v {
                publish_event_request::Body::Event(v) => {
                    struct_ser.serialize_field("event", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PublishEventRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "event",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Event,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "event" => Ok(GeneratedField::Event),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PublishEventRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.PublishEventRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PublishEventRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut body__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Event => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("event"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(publish_event_request::Body::Event)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(PublishEventRequest {
                    body: body__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.PublishEventRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PublishEventResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.ack.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.PublishEventResponse", len)?;
        if let Some(v) = self.ack.as_ref() {
            struct_ser.serialize_field("ack", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PublishEventResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ack",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Ack,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "ack" => Ok(GeneratedField::Ack),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PublishEventResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.PublishEventResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PublishEventResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut ack__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Ack => {
                            if ack__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ack"));
                            }
                            ack__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(PublishEventResponse {
                    ack: ack__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.PublishEventResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for RunSummary {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.wove_version.is_empty() {
            len += 1;
        }
        if !self.run_id.is_empty() {
            len += 1;
        }
        if !self.outcome.is_empty() {
            len += 1;
        }
        if self.delivered {
            len += 1;
        }
        if self.error.is_some() {
            len += 1;
        }
        if !self.callback_url.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.RunSummary", len)?;
        if !self.wove_version.is_empty() {
            struct_ser.serialize_field("wove_version", &self.wove_version)?;
        }
        if !self.run_id.is_empty() {
            struct_ser.serialize_field("run_id", &self.run_id)?;
        }
        if !self.outcome.is_empty() {
            struct_ser.serialize_field("outcome", &self.outcome)?;
        }
        if self.delivered {
            struct_ser.serialize_field("delivered", &self.delivered)?;
        }
        if let Some(v) = self.error.as_ref() {
            struct_ser.serialize_field("error", v)?;
        }
        if !self.callback_url.is_empty() {
            struct_ser.serialize_field("callback_url", &self.callback_url)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for RunSummary {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "wove_version",
            "run_id",
            "outcome",
            "delivered",
            "error",
            "callback_url",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            WoveVersion,
            RunId,
            Outcome,
            Delivered,
            Error,
            CallbackUrl,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "wove_version" => Ok(GeneratedField::WoveVersion),
                            "run_id" => Ok(GeneratedField::RunId),
                            "outcome" => Ok(GeneratedField::Outcome),
                            "delivered" => Ok(GeneratedField::Delivered),
                            "error" => Ok(GeneratedField::Error),
                            "callback_url" => Ok(GeneratedField::CallbackUrl),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = RunSummary;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.RunSummary")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<RunSummary, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut wove_version__ = None;
                let mut run_id__ = None;
                let mut outcome__ = None;
                let mut delivered__ = None;
                let mut error__ = None;
                let mut callback_url__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::WoveVersion => {
                            if wove_version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("wove_version"));
                            }
                            wove_version__ = Some(map_.next_value()?);
                        }
                        GeneratedField::RunId => {
                            if run_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("run_id"));
                            }
                            run_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Outcome => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("outcome"));
                            }
                            outcome__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Delivered => {
                            if delivered__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivered"));
                            }
                            delivered__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Error => {
                            if error__.is_some() {
                                return Err(serde::de::Error::duplicate_field("error"));
                            }
                            error__ = map_.next_value()?;
                        }
                        GeneratedField::CallbackUrl => {
                            if callback_url__.is_some() {
                                return Err(serde::de::Error::duplicate_field("callback_url"));
                            }
                            callback_url__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(RunSummary {
                    wove_version: wove_version__.unwrap_or_default(),
                    run_id: run_id__.unwrap_or_default(),
                    outcome: outcome__.unwrap_or_default(),
                    delivered: delivered__.unwrap_or_default(),
                    error: error__,
                    callback_url: callback_url__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.RunSummary", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for RunTask {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.run_id.is_empty() {
            len += 1;
        }
        if !self.task_id.is_empty() {
            len += 1;
        }
        if !self.callable_pickle.is_empty() {
            len += 1;
        }
        if !self.args_pickle.is_empty() {
            len += 1;
        }
        if self.delivery.is_some() {
            len += 1;
        }
        if self.args_json.is_some() {
            len += 1;
        }
        if self.attempt != 0 {
            len += 1;
        }
        if self.origin.is_some() {
            len += 1;
        }
        if !self.accepts.is_empty() {
            len += 1;
        }
        if self.supersedes.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.RunTask", len)?;
        if !self.run_id.is_empty() {
            struct_ser.serialize_field("run_id", &self.run_id)?;
        }
        if !self.task_id.is_empty() {
            struct_ser.serialize_field("task_id", &self.task_id)?;
        }
        if !self.callable_pickle.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("callable_pickle", pbjson::private::base64::encode(&self.callable_pickle).as_str())?;
        }
        if !self.args_pickle.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("args_pickle", pbjson::private::base64::encode(&self.args_pickle).as_str())?;
        }
        if let Some(v) = self.delivery.as_ref() {
            struct_ser.serialize_field("delivery", v)?;
        }
        if let Some(v) = self.args_json.as_ref() {
            struct_ser.serialize_field("args_json", v)?;
        }
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if let Some(v) = self.origin.as_ref() {
            struct_ser.serialize_field("origin", v)?;
        }
        if !self.accepts.is_empty() {
            struct_ser.serialize_field("accepts", &self.accepts)?;
        }
        if let Some(v) = self.supersedes.as_ref() {
            struct_ser.serialize_field("supersedes", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for RunTask {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "run_id",
            "task_id",
            "callable_pickle",
            "args_pickle",
            "delivery",
            "args_json",
            "attempt",
            "origin",
            "accepts",
            "supersedes",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RunId,
            TaskId,
            CallablePickle,
            ArgsPickle,
            Delivery,
            ArgsJson,
            Attempt,
            Origin,
            Accepts,
            Supersedes,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "run_id" => Ok(GeneratedField::RunId),
                            "task_id" => Ok(GeneratedField::TaskId),
                            "callable_pickle" => Ok(GeneratedField::CallablePickle),
                            "args_pickle" => Ok(GeneratedField::ArgsPickle),
                            "delivery" => Ok(GeneratedField::Delivery),
                            "args_json" => Ok(GeneratedField::ArgsJson),
                            "attempt" => Ok(GeneratedField::Attempt),
                            "origin" => Ok(GeneratedField::Origin),
                            "accepts" => Ok(GeneratedField::Accepts),
                            "supersedes" => Ok(GeneratedField::Supersedes),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = RunTask;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.RunTask")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<RunTask, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut run_id__ = None;
                let mut task_id__ = None;
                let mut callable_pickle__ = None;
                let mut args_pickle__ = None;
                let mut delivery__ = None;
                let mut args_json__ = None;
                let mut attempt__ = None;
                let mut origin__ = None;
                let mut accepts__ = None;
                let mut supersedes__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RunId => {
                            if run_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("run_id"));
                            }
                            run_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TaskId => {
                            if task_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_id"));
                            }
                            task_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::CallablePickle => {
                            if callable_pickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("callable_pickle"));
                            }
                            callable_pickle__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ArgsPickle => {
                            if args_pickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("args_pickle"));
                            }
                            args_pickle__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Delivery => {
                            if delivery__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery"));
                            }
                            delivery__ = map_.next_value()?;
                        }
                        GeneratedField::ArgsJson => {
                            if args_json__.is_some() {
                                return Err(serde::de::Error::duplicate_field("args_json"));
                            }
                            args_json__ = map_.next_value()?;
                        }
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Origin => {
                            if origin__.is_some() {
                                return Err(serde::de::Error::duplicate_field("origin"));
                            }
                            origin__ = map_.next_value()?;
                        }
                        GeneratedField::Accepts => {
                            if accepts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("accepts"));
                            }
                            accepts__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Supersedes => {
                            if supersedes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("supersedes"));
                            }
                            supersedes__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(RunTask {
                    run_id: run_id__.unwrap_or_default(),
                    task_id: task_id__.unwrap_or_default(),
                    callable_pickle: callable_pickle__.unwrap_or_default(),
                    args_pickle: args_pickle__.unwrap_or_default(),
                    delivery: delivery__,
                    args_json: args_json__,
                    attempt: attempt__.unwrap_or_default(),
                    origin: origin__,
                    accepts: accepts__.unwrap_or_default(),
                    supersedes: supersedes__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.RunTask", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Shutdown {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("wove.v1.Shutdown", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Shutdown {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Ok(GeneratedField::__SkipField__)
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Shutdown;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.Shutdown")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Shutdown, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Shutdown {
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.Shutdown", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StreamEventsRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.body.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.StreamEventsRequest", len)?;
        if let Some(v) = self.body.as_ref() {
            match v {
                stream_events_request::Body::Event(v) => {
                    struct_ser.serialize_field("event", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StreamEventsRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "event",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Event,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "event" => Ok(GeneratedField::Event),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StreamEventsRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.StreamEventsRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StreamEventsRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut body__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Event => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("event"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(stream_events_request::Body::Event)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(StreamEventsRequest {
                    body: body__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.StreamEventsRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StreamEventsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.message.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.StreamEventsResponse", len)?;
        if let Some(v) = self.message.as_ref() {
            match v {
                stream_events_response::Message::Ack(v) => {
                    struct_ser.serialize_field("ack", v)?;
                }
                stream_events_response::Message::CancelTask(v) => {
                    struct_ser.serialize_field("cancel_task", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StreamEventsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ack",
            "cancel_task",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Ack,
            CancelTask,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "ack" => Ok(GeneratedField::Ack),
                            "cancel_task" => Ok(GeneratedField::CancelTask),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StreamEventsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.StreamEventsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StreamEventsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut message__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Ack => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ack"));
                            }
                            message__ = map_.next_value::<::std::option::Option<_>>()?.map(stream_events_response::Message::Ack)
;
                        }
                        GeneratedField::CancelTask => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cancel_task"));
                            }
                            message__ = map_.next_value::<::std::option::Option<_>>()?.map(stream_events_response::Message::CancelTask)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(StreamEventsResponse {
                    message: message__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.StreamEventsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for SummaryError {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.kind.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.SummaryError", len)?;
        if !self.kind.is_empty() {
            struct_ser.serialize_field("kind", &self.kind)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for SummaryError {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kind",
            "message",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kind,
            Message,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kind" => Ok(GeneratedField::Kind),
                            "message" => Ok(GeneratedField::Message),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = SummaryError;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.SummaryError")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<SummaryError, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                let mut message__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(SummaryError {
                    kind: kind__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.SummaryError", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TaskCancelled {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.forced {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.TaskCancelled", len)?;
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if self.forced {
            struct_ser.serialize_field("forced", &self.forced)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TaskCancelled {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "reason",
            "forced",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Reason,
            Forced,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "reason" => Ok(GeneratedField::Reason),
                            "forced" => Ok(GeneratedField::Forced),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TaskCancelled;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.TaskCancelled")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TaskCancelled, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut reason__ = None;
                let mut forced__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Forced => {
                            if forced__.is_some() {
                                return Err(serde::de::Error::duplicate_field("forced"));
                            }
                            forced__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(TaskCancelled {
                    reason: reason__.unwrap_or_default(),
                    forced: forced__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.TaskCancelled", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TaskError {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.exception_pickle.is_empty() {
            len += 1;
        }
        if !self.error_pickle.is_empty() {
            len += 1;
        }
        if self.error.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.TaskError", len)?;
        if !self.exception_pickle.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("exception_pickle", pbjson::private::base64::encode(&self.exception_pickle).as_str())?;
        }
        if !self.error_pickle.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("error_pickle", pbjson::private::base64::encode(&self.error_pickle).as_str())?;
        }
        if let Some(v) = self.error.as_ref() {
            struct_ser.serialize_field("error", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TaskError {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "exception_pickle",
            "error_pickle",
            "error",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ExceptionPickle,
            ErrorPickle,
            Error,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "exception_pickle" => Ok(GeneratedField::ExceptionPickle),
                            "error_pickle" => Ok(GeneratedField::ErrorPickle),
                            "error" => Ok(GeneratedField::Error),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TaskError;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.TaskError")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TaskError, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut exception_pickle__ = None;
                let mut error_pickle__ = None;
                let mut error__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ExceptionPickle => {
                            if exception_pickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("exception_pickle"));
                            }
                            exception_pickle__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ErrorPickle => {
                            if error_pickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("error_pickle"));
                            }
                            error_pickle__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Error => {
                            if error__.is_some() {
                                return Err(serde::de::Error::duplicate_field("error"));
                            }
                            error__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(TaskError {
                    exception_pickle: exception_pickle__.unwrap_or_default(),
                    error_pickle: error_pickle__.unwrap_or_default(),
                    error: error__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.TaskError", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TaskPayload {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.version != 0 {
            len += 1;
        }
        if !self.adapter.is_empty() {
            len += 1;
        }
        if !self.callback_url.is_empty() {
            len += 1;
        }
        if !self.run_id.is_empty() {
            len += 1;
        }
        if !self.task_id.is_empty() {
            len += 1;
        }
        if self.task_name.is_some() {
            len += 1;
        }
        if !self.callable_pickle.is_empty() {
            len += 1;
        }
        if !self.args_pickle.is_empty() {
            len += 1;
        }
        if self.delivery.is_some() {
            len += 1;
        }
        if self.args_json.is_some() {
            len += 1;
        }
        if self.callback_grpc.is_some() {
            len += 1;
        }
        if self.receiver_id.is_some() {
            len += 1;
        }
        if self.attempt != 0 {
            len += 1;
        }
        if self.start_gate.is_some() {
            len += 1;
        }
        if !self.accepts.is_empty() {
            len += 1;
        }
        if self.max_event_bytes.is_some() {
            len += 1;
        }
        if self.delivery_retry_seconds.is_some() {
            len += 1;
        }
        if self.origin.is_some() {
            len += 1;
        }
        if self.traceparent.is_some() {
            len += 1;
        }
        if self.issued_at.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.TaskPayload", len)?;
        if self.version != 0 {
            struct_ser.serialize_field("version", &self.version)?;
        }
        if !self.adapter.is_empty() {
            struct_ser.serialize_field("adapter", &self.adapter)?;
        }
        if !self.callback_url.is_empty() {
            struct_ser.serialize_field("callback_url", &self.callback_url)?;
        }
        if !self.run_id.is_empty() {
            struct_ser.serialize_field("run_id", &self.run_id)?;
        }
        if !self.task_id.is_empty() {
            struct_ser.serialize_field("task_id", &self.task_id)?;
        }
        if let Some(v) = self.task_name.as_ref() {
            struct_ser.serialize_field("task_name", v)?;
        }
        if !self.callable_pickle.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("callable_pickle", pbjson::private::base64::encode(&self.callable_pickle).as_str())?;
        }
        if !self.args_pickle.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("args_pickle", pbjson::private::base64::encode(&self.args_pickle).as_str())?;
        }
        if let Some(v) = self.delivery.as_ref() {
            struct_ser.serialize_field("delivery", v)?;
        }
        if let Some(v) = self.args_json.as_ref() {
            struct_ser.serialize_field("args_json", v)?;
        }
        if let Some(v) = self.callback_grpc.as_ref() {
            struct_ser.serialize_field("callback_grpc", v)?;
        }
        if let Some(v) = self.receiver_id.as_ref() {
            struct_ser.serialize_field("receiver_id", v)?;
        }
        if self.attempt != 0 {
            struct_ser.serialize_field("attempt", &self.attempt)?;
        }
        if let Some(v) = self.start_gate.as_ref() {
            struct_ser.serialize_field("start_gate", v)?;
        }
        if !self.accepts.is_empty() {
            struct_ser.serialize_field("accepts", &self.accepts)?;
        }
        if let Some(v) = self.max_event_bytes.as_ref() {
            struct_ser.serialize_field("max_event_bytes", v)?;
        }
        if let Some(v) = self.delivery_retry_seconds.as_ref() {
            struct_ser.serialize_field("delivery_retry_seconds", v)?;
        }
        if let Some(v) = self.origin.as_ref() {
            struct_ser.serialize_field("origin", v)?;
        }
        if let Some(v) = self.traceparent.as_ref() {
            struct_ser.serialize_field("traceparent", v)?;
        }
        if let Some(v) = self.issued_at.as_ref() {
            struct_ser.serialize_field("issued_at", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TaskPayload {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "version",
            "adapter",
            "callback_url",
            "run_id",
            "task_id",
            "task_name",
            "callable_pickle",
            "args_pickle",
            "delivery",
            "args_json",
            "callback_grpc",
            "receiver_id",
            "attempt",
            "start_gate",
            "accepts",
            "max_event_bytes",
            "delivery_retry_seconds",
            "origin",
            "traceparent",
            "issued_at",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Version,
            Adapter,
            CallbackUrl,
            RunId,
            TaskId,
            TaskName,
            CallablePickle,
            ArgsPickle,
            Delivery,
            ArgsJson,
            CallbackGrpc,
            ReceiverId,
            Attempt,
            StartGate,
            Accepts,
            MaxEventBytes,
            DeliveryRetrySeconds,
            Origin,
            Traceparent,
            IssuedAt,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "version" => Ok(GeneratedField::Version),
                            "adapter" => Ok(GeneratedField::Adapter),
                            "callback_url" => Ok(GeneratedField::CallbackUrl),
                            "run_id" => Ok(GeneratedField::RunId),
                            "task_id" => Ok(GeneratedField::TaskId),
                            "task_name" => Ok(GeneratedField::TaskName),
                            "callable_pickle" => Ok(GeneratedField::CallablePickle),
                            "args_pickle" => Ok(GeneratedField::ArgsPickle),
                            "delivery" => Ok(GeneratedField::Delivery),
                            "args_json" => Ok(GeneratedField::ArgsJson),
                            "callback_grpc" => Ok(GeneratedField::CallbackGrpc),
                            "receiver_id" => Ok(GeneratedField::ReceiverId),
                            "attempt" => Ok(GeneratedField::Attempt),
                            "start_gate" => Ok(GeneratedField::StartGate),
                            "accepts" => Ok(GeneratedField::Accepts),
                            "max_event_bytes" => Ok(GeneratedField::MaxEventBytes),
                            "delivery_retry_seconds" => Ok(GeneratedField::DeliveryRetrySeconds),
                            "origin" => Ok(GeneratedField::Origin),
                            "traceparent" => Ok(GeneratedField::Traceparent),
                            "issued_at" => Ok(GeneratedField::IssuedAt),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TaskPayload;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.TaskPayload")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TaskPayload, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut version__ = None;
                let mut adapter__ = None;
                let mut callback_url__ = None;
                let mut run_id__ = None;
                let mut task_id__ = None;
                let mut task_name__ = None;
                let mut callable_pickle__ = None;
                let mut args_pickle__ = None;
                let mut delivery__ = None;
                let mut args_json__ = None;
                let mut callback_grpc__ = None;
                let mut receiver_id__ = None;
                let mut attempt__ = None;
                let mut start_gate__ = None;
                let mut accepts__ = None;
                let mut max_event_bytes__ = None;
                let mut delivery_retry_seconds__ = None;
                let mut origin__ = None;
                let mut traceparent__ = None;
                let mut issued_at__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Version => {
                            if version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("version"));
                            }
                            version__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Adapter => {
                            if adapter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("adapter"));
                            }
                            adapter__ = Some(map_.next_value()?);
                        }
                        GeneratedField::CallbackUrl => {
                            if callback_url__.is_some() {
                                return Err(serde::de::Error::duplicate_field("callback_url"));
                            }
                            callback_url__ = Some(map_.next_value()?);
                        }
                        GeneratedField::RunId => {
                            if run_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("run_id"));
                            }
                            run_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TaskId => {
                            if task_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_id"));
                            }
                            task_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TaskName => {
                            if task_name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("task_name"));
                            }
                            task_name__ = map_.next_value()?;
                        }
                        GeneratedField::CallablePickle => {
                            if callable_pickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("callable_pickle"));
                            }
                            callable_pickle__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ArgsPickle => {
                            if args_pickle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("args_pickle"));
                            }
                            args_pickle__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Delivery => {
                            if delivery__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery"));
                            }
                            delivery__ = map_.next_value()?;
                        }
                        GeneratedField::ArgsJson => {
                            if args_json__.is_some() {
                                return Err(serde::de::Error::duplicate_field("args_json"));
                            }
                            args_json__ = map_.next_value()?;
                        }
                        GeneratedField::CallbackGrpc => {
                            if callback_grpc__.is_some() {
                                return Err(serde::de::Error::duplicate_field("callback_grpc"));
                            }
                            callback_grpc__ = map_.next_value()?;
                        }
                        GeneratedField::ReceiverId => {
                            if receiver_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("receiver_id"));
                            }
                            receiver_id__ = map_.next_value()?;
                        }
                        GeneratedField::Attempt => {
                            if attempt__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempt"));
                            }
                            attempt__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::StartGate => {
                            if start_gate__.is_some() {
                                return Err(serde::de::Error::duplicate_field("start_gate"));
                            }
                            start_gate__ = map_.next_value()?;
                        }
                        GeneratedField::Accepts => {
                            if accepts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("accepts"));
                            }
                            accepts__ = Some(map_.next_value()?);
                        }
                        GeneratedField::MaxEventBytes => {
                            if max_event_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("max_event_bytes"));
                            }
                            max_event_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::DeliveryRetrySeconds => {
                            if delivery_retry_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delivery_retry_seconds"));
                            }
                            delivery_retry_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Origin => {
                            if origin__.is_some() {
                                return Err(serde::de::Error::duplicate_field("origin"));
                            }
                            origin__ = map_.next_value()?;
                        }
                        GeneratedField::Traceparent => {
                            if traceparent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("traceparent"));
                            }
                            traceparent__ = map_.next_value()?;
                        }
                        GeneratedField::IssuedAt => {
                            if issued_at__.is_some() {
                                return Err(serde::de::Error::duplicate_field("issued_at"));
                            }
                            issued_at__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(TaskPayload {
                    version: version__.unwrap_or_default(),
                    adapter: adapter__.unwrap_or_default(),
                    callback_url: callback_url__.unwrap_or_default(),
                    run_id: run_id__.unwrap_or_default(),
                    task_id: task_id__.unwrap_or_default(),
                    task_name: task_name__,
                    callable_pickle: callable_pickle__.unwrap_or_default(),
                    args_pickle: args_pickle__.unwrap_or_default(),
                    delivery: delivery__,
                    args_json: args_json__,
                    callback_grpc: callback_grpc__,
                    receiver_id: receiver_id__,
                    attempt: attempt__.unwrap_or_default(),
                    start_gate: start_gate__,
                    accepts: accepts__.unwrap_or_default(),
                    max_event_bytes: max_event_bytes__,
                    delivery_retry_seconds: delivery_retry_seconds__,
                    origin: origin__,
                    traceparent: traceparent__,
                    issued_at: issued_at__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.TaskPayload", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TaskResult {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.value.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.TaskResult", len)?;
        if let Some(v) = self.value.as_ref() {
            match v {
                task_result::Value::ResultPickle(v) => {
                    #[allow(clippy::needless_borrow)]
                    #[allow(clippy::needless_borrows_for_generic_args)]
                    struct_ser.serialize_field("result_pickle", pbjson::private::base64::encode(&v).as_str())?;
                }
                task_result::Value::ResultJson(v) => {
                    struct_ser.serialize_field("result_json", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TaskResult {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "result_pickle",
            "result_json",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ResultPickle,
            ResultJson,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "result_pickle" => Ok(GeneratedField::ResultPickle),
                            "result_json" => Ok(GeneratedField::ResultJson),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TaskResult;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.TaskResult")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TaskResult, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut value__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ResultPickle => {
                            if value__.is_some() {
                                return Err(serde::de::Error::duplicate_field("result_pickle"));
                            }
                            value__ = map_.next_value::<::std::option::Option<::pbjson::private::BytesDeserialize<_>>>()?.map(|x| task_result::Value::ResultPickle(x.0));
                        }
                        GeneratedField::ResultJson => {
                            if value__.is_some() {
                                return Err(serde::de::Error::duplicate_field("result_json"));
                            }
                            value__ = map_.next_value::<::std::option::Option<_>>()?.map(task_result::Value::ResultJson);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(TaskResult {
                    value: value__,
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.TaskResult", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TaskStarted {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.worker_id.is_empty() {
            len += 1;
        }
        if self.heartbeat_seconds.is_some() {
            len += 1;
        }
        if !self.backend_job_id.is_empty() {
            len += 1;
        }
        if !self.backend_worker.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("wove.v1.TaskStarted", len)?;
        if !self.worker_id.is_empty() {
            struct_ser.serialize_field("worker_id", &self.worker_id)?;
        }
        if let Some(v) = self.heartbeat_seconds.as_ref() {
            struct_ser.serialize_field("heartbeat_seconds", v)?;
        }
        if !self.backend_job_id.is_empty() {
            struct_ser.serialize_field("backend_job_id", &self.backend_job_id)?;
        }
        if !self.backend_worker.is_empty() {
            struct_ser.serialize_field("backend_worker", &self.backend_worker)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TaskStarted {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "worker_id",
            "heartbeat_seconds",
            "backend_job_id",
            "backend_worker",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            WorkerId,
            HeartbeatSeconds,
            BackendJobId,
            BackendWorker,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "worker_id" => Ok(GeneratedField::WorkerId),
                            "heartbeat_seconds" => Ok(GeneratedField::HeartbeatSeconds),
                            "backend_job_id" => Ok(GeneratedField::BackendJobId),
                            "backend_worker" => Ok(GeneratedField::BackendWorker),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TaskStarted;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct wove.v1.TaskStarted")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TaskStarted, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut worker_id__ = None;
                let mut heartbeat_seconds__ = None;
                let mut backend_job_id__ = None;
                let mut backend_worker__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::WorkerId => {
                            if worker_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("worker_id"));
                            }
                            worker_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::HeartbeatSeconds => {
                            if heartbeat_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("heartbeat_seconds"));
                            }
                            heartbeat_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::BackendJobId => {
                            if backend_job_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("backend_job_id"));
                            }
                            backend_job_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::BackendWorker => {
                            if backend_worker__.is_some() {
                                return Err(serde::de::Error::duplicate_field("backend_worker"));
                            }
                            backend_worker__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(TaskStarted {
                    worker_id: worker_id__.unwrap_or_default(),
                    heartbeat_seconds: heartbeat_seconds__,
                    backend_job_id: backend_job_id__.unwrap_or_default(),
                    backend_worker: backend_worker__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("wove.v1.TaskStarted", FIELDS, GeneratedVisitor)
    }
}
